// The broker of one node: its shards, its quorum of one, and where each partition lives.
//
// Owned by server::Node. A partition's home shard follows from its topic id and index alone, so every shard finds it
// without asking. Requests that change metadata go to the QuorumHost on the quorum's own shard; what it commits comes
// back to every shard as a new image.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "broker/broker_shard.h"
#include "broker/listener_role.h"
#include "broker/logger_level.h"
#include "metadata/config/load_node_config.h"
#include "runtime/environment.h"
#include "runtime/scope.h"
#include "runtime/trusted_clock.h"

namespace moldau::broker {

class Cleaner;
class DirectoryAssignments;
class DirectoryFailures;
class DirectorySet;
class ProducerIds;
class QuorumHost;
class Scrubber;
class ReplicaMover;

class Broker {
 public:
  // Both must outlive the broker.
  Broker(runtime::Environment& environment, const metadata::LoadedConfig& loaded);
  ~Broker();

  runtime::Environment& environment;
  const metadata::NodeConfig& config;
  const metadata::ConfigMap& given_config;  // every key that was set at the start
  runtime::TrustedClock clock;  // by which things grow old; ClockWatch keeps it
  std::vector<std::unique_ptr<BrokerShard>> shards;
  std::unique_ptr<DirectorySet> directories;  // log.dirs; set by the node before anything is served
  std::unique_ptr<QuorumHost> quorum;         // lives on the quorum's shard; likewise
  std::unique_ptr<ProducerIds> producer_ids;
  LoggerLevel logger_level;
  std::unique_ptr<Cleaner> cleaner;           // made with the broker, runs once the logs are open
  std::unique_ptr<Scrubber> scrubber;         // likewise
  std::unique_ptr<ReplicaMover> mover;        // likewise
  std::unique_ptr<DirectoryAssignments> assignments;
  std::unique_ptr<DirectoryFailures> directory_failures;
  std::string cluster_id;
  std::vector<metadata::ListenerEndpoint> advertised_listeners;  // with the ports that were bound
  runtime::Scope background;                  // on shard 0; ends with the node
  std::atomic<bool> ready{false};             // recovered, registered and serving
  // Called on shard 0 with the first image, and with each in which settings of brokers changed.
  std::function<void(const metadata::MetadataImage&)> on_broker_configs;
  // Called on shard 0 with a sentence when the node cannot go on; null: it goes on as it can.
  std::function<void(const std::string&)> on_fatal;

  [[nodiscard]] BrokerShard& home_of(const Uuid& topic_id, int32_t partition) {
    return *shards[PartitionKeyHash{}({topic_id, partition}) % shards.size()];
  }
  [[nodiscard]] BrokerShard& first_shard() { return *shards.front(); }
  [[nodiscard]] runtime::Shard& quorum_shard() const { return environment.quorum_shard(); }
  [[nodiscard]] int64_t wall_clock_ms() const { return environment.wall_clock_ms(); }

  // Has the process end, which it can only once.
  void end_with(const std::string& why);

  // The endpoint that clients of a listener are told to use.
  [[nodiscard]] const metadata::ListenerEndpoint& advertised(std::string_view listener_name) const;
  [[nodiscard]] ListenerRole role_of(std::string_view listener_name) const;
};

}  // namespace moldau::broker
