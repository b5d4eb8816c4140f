#include "broker/broker.h"

#include <algorithm>

#include "base/log.h"
#include "broker/cleaner.h"
#include "broker/directory_assignments.h"
#include "broker/directory_failures.h"
#include "broker/directory_set.h"
#include "broker/group_host.h"
#include "broker/partition.h"
#include "broker/producer_ids.h"
#include "broker/quorum_host.h"
#include "broker/replica_mover.h"
#include "broker/scrubber.h"

namespace moldau::broker {

Broker::Broker(runtime::Environment& env, const metadata::LoadedConfig& loaded)
    : environment(env), config(loaded.node), given_config(loaded.given), clock(env), producer_ids(std::make_unique<ProducerIds>(*this)) {
  for (runtime::Shard* shard : env.shards())
    shards.push_back(std::make_unique<BrokerShard>(*this, *shard, env.shards().size()));
  cleaner = std::make_unique<Cleaner>(*this);
  scrubber = std::make_unique<Scrubber>(*this);
  mover = std::make_unique<ReplicaMover>(*this);
  assignments = std::make_unique<DirectoryAssignments>(*this);
  directory_failures = std::make_unique<DirectoryFailures>(*this);
}

Broker::~Broker() = default;

void Broker::end_with(const std::string& why) {
  log_error("the node ends: {}", why);
  if (const auto tell = std::exchange(on_fatal, nullptr)) tell(why);
}

const metadata::ListenerEndpoint& Broker::advertised(std::string_view listener_name) const {
  for (const metadata::ListenerEndpoint& endpoint : advertised_listeners)
    if (endpoint.name == listener_name) return endpoint;
  MOLDAU_UNREACHABLE("a listener without an advertised endpoint");
}

ListenerRole Broker::role_of(std::string_view listener_name) const {
  const auto& of_controller = config.network.controller_listeners;
  const auto found = std::ranges::find(of_controller, listener_name, &metadata::ListenerEndpoint::name);
  return found == of_controller.end() ? ListenerRole::broker : ListenerRole::controller;
}

}  // namespace moldau::broker
