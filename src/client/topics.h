// Topics as an administrator sees them: create, delete, grow, read and change settings. One request each,
// tried again only where the connection had died; the calling shard's cluster.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cluster.h"

namespace moldau::client {

struct NewTopic {
  std::string name;
  int32_t partitions = -1;          // -1: the broker's default
  int16_t replication_factor = -1;  // -1: the broker's default
  std::vector<std::pair<std::string, std::string>> configs;
  bool validate_only = false;
};

struct CreatedTopic {
  Uuid id;  // zero from brokers before CreateTopics 7
  int32_t partitions = -1;
  int16_t replication_factor = -1;
};

struct ConfigEntry {
  enum class Source : int8_t {
    unknown = 0,
    topic = 1,
    broker_dynamic = 2,
    cluster_dynamic = 3,
    file = 4,
    fallback = 5
  };
  std::string name;
  std::optional<std::string> value;  // none: sensitive, or no value
  Source source = Source::unknown;
  bool is_read_only = false;
  bool is_sensitive = false;
};

struct ConfigChange {
  std::string name;
  std::optional<std::string> value;  // none: back to the default
};

task<client_result<CreatedTopic>> create_topic(Cluster& cluster, NewTopic topic);
task<client_result<>> delete_topic(Cluster& cluster, std::string name);
// `total` is the number afterwards.
task<client_result<>> set_partition_count(Cluster& cluster, std::string topic, int32_t total,
                                          bool validate_only);
task<client_result<std::vector<ConfigEntry>>> topic_configs(Cluster& cluster, std::string name);
task<client_result<>> alter_topic_configs(Cluster& cluster, std::string name,
                                          std::vector<ConfigChange> changes, bool validate_only);

}  // namespace moldau::client
