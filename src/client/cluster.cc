#include "client/cluster.h"

#include <fmt/core.h>

#include <algorithm>

#include "protocol/messages/find_coordinator_request.h"
#include "protocol/messages/find_coordinator_response.h"
#include "protocol/messages/metadata_request.h"

namespace moldau::client {

using protocol::ErrorCode;
using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;
using protocol::MetadataRequest;
using protocol::MetadataResponse;

Cluster::Cluster(runtime::Environment& environment, ClusterOptions options)
    : environment_(environment), options_(std::move(options)) {}
Cluster::~Cluster() = default;

int64_t Cluster::retry_deadline_us() const {
  return runtime::Shard::current().now_us() + options_.retry_timeout_ms * 1000;
}

task<bool> Cluster::back_off(int64_t deadline_us) {
  if (runtime::Shard::current().now_us() + options_.retry_backoff_ms * 1000 >= deadline_us) co_return false;
  co_await runtime::sleep_ms(options_.retry_backoff_ms);
  co_return true;
}

task<client_result<BrokerPtr>> Cluster::connect(runtime::Address address) {
  co_return co_await BrokerConnection::open(environment_, readers_, std::move(address), options_.connection);
}

task<client_result<BrokerPtr>> Cluster::any_broker() {
  const auto held = co_await connecting_.lock();
  if (bootstrap_ && bootstrap_->is_open()) co_return bootstrap_;
  for (const auto& [id, known] : brokers_) {
    if (known->is_open()) co_return known;
  }
  std::vector<runtime::Address> candidates = options_.bootstrap;
  for (const auto& [id, address] : addresses_) {
    if (std::ranges::find(candidates, address) == candidates.end()) candidates.push_back(address);
  }
  Error last{.kind = Error::Kind::cannot_connect,
             .message = "no broker to connect to",
             .advice = "Name one with --bootstrap-server host:port"};
  for (const runtime::Address& address : candidates) {
    auto opened = co_await connect(address);
    if (opened) {
      bootstrap_ = std::move(*opened);
      co_return bootstrap_;
    }
    last = std::move(opened).error();
  }
  co_return fail(std::move(last));
}

task<client_result<BrokerPtr>> Cluster::broker(int32_t node_id) {
  if (!addresses_.contains(node_id)) MOLDAU_CO_CHECK(co_await metadata(std::vector<std::string>{}));
  const auto held = co_await connecting_.lock();
  if (const auto known = brokers_.find(node_id); known != brokers_.end() && known->second->is_open())
    co_return known->second;
  const auto address = addresses_.find(node_id);
  if (address == addresses_.end()) {
    co_return fail(Error{.kind = Error::Kind::cannot_connect,
                         .message = fmt::format("broker {} is not among the running ones", node_id),
                         .advice = "Start it, or wait until another has taken over its partitions"});
  }
  if (bootstrap_ && bootstrap_->is_open() && bootstrap_->address() == address->second.to_string()) {
    brokers_[node_id] = bootstrap_;
    co_return bootstrap_;
  }
  MOLDAU_CO_TRY(BrokerPtr opened, co_await connect(address->second));
  brokers_[node_id] = opened;
  co_return opened;
}

task<client_result<BrokerPtr>> Cluster::group_coordinator(std::string group_id) {
  if (const auto known = coordinators_.find(group_id); known != coordinators_.end()) {
    auto connected = co_await broker(known->second);
    if (connected) co_return connected;
    coordinators_.erase(group_id);
  }
  const int64_t deadline_us = retry_deadline_us();
  while (true) {
    FindCoordinatorRequest request;
    request.key = group_id;
    request.key_type = 0;
    request.coordinator_keys = {group_id};
    MOLDAU_CO_TRY(auto reply, co_await call_any<FindCoordinatorResponse>(std::move(request)));
    const FindCoordinatorResponse& found = reply.message;
    FindCoordinatorResponse::Coordinator at;
    if (reply.version >= 4 && !found.coordinators.empty()) {
      at = found.coordinators.front();
    } else {
      at.node_id = found.node_id;
      at.host = found.host;
      at.port = found.port;
      at.error_code = found.error_code;
      at.error_message = found.error_message;
    }
    if (at.error_code == 0) {
      addresses_[at.node_id] = {at.host, static_cast<uint16_t>(at.port)};
      coordinators_[group_id] = at.node_id;
      co_return co_await broker(at.node_id);
    }
    const ErrorCode code = error_code(at.error_code);
    if (!is_worth_retrying(code) || !co_await back_off(deadline_us)) {
      co_return fail(server_error(code, fmt::format("looking for the coordinator of group {}", group_id)));
    }
  }
}

task<client_result<MetadataResponse>> Cluster::metadata(std::optional<std::vector<std::string>> topics) {
  MetadataRequest request;
  request.allow_auto_topic_creation = false;
  if (topics) {
    request.topics.emplace();
    for (std::string& name : *topics) request.topics->emplace_back().name = std::move(name);
  } else {
    request.topics.reset();
  }
  MOLDAU_CO_TRY(auto reply, co_await call_any<MetadataResponse>(std::move(request)));
  learn(reply.message);
  co_return std::move(reply.message);
}

void Cluster::learn(const MetadataResponse& response) {
  for (const auto& broker : response.brokers) {
    const runtime::Address address{broker.host, static_cast<uint16_t>(broker.port)};
    const auto known = addresses_.find(broker.node_id);
    if (known != addresses_.end() && known->second == address) continue;
    if (const auto old = brokers_.find(broker.node_id); old != brokers_.end()) {
      old->second->close();
      brokers_.erase(old);
    }
    addresses_[broker.node_id] = address;
  }
}

task<client_result<TopicMetadata>> Cluster::topic(std::string name, bool allow_auto_create) {
  if (const auto known = topics_.find(name); known != topics_.end()) co_return known->second;
  const int64_t deadline_us = retry_deadline_us();
  while (true) {
    MetadataRequest request;
    request.allow_auto_topic_creation = allow_auto_create;
    request.topics.emplace().emplace_back().name = name;
    MOLDAU_CO_TRY(auto reply, co_await call_any<MetadataResponse>(std::move(request)));
    learn(reply.message);
    if (reply.message.topics.empty()) {
      co_return fail(Error{.kind = Error::Kind::malformed,
                           .message = fmt::format("the broker did not answer for topic {}", name)});
    }
    auto& answer = reply.message.topics.front();
    const ErrorCode code = error_code(answer.error_code);
    TopicMetadata topic{.name = name, .id = answer.topic_id, .is_internal = answer.is_internal};
    topic.partitions.resize(answer.partitions.size());
    bool is_complete = code == ErrorCode::none;
    for (auto& partition : answer.partitions) {
      if (partition.partition_index < 0 ||
          std::cmp_greater_equal(partition.partition_index, topic.partitions.size())) {
        co_return fail(Error{.kind = Error::Kind::malformed,
                             .message = fmt::format("topic {} has a partition {} among {}", name,
                                                    partition.partition_index, topic.partitions.size())});
      }
      is_complete = is_complete && partition.leader_id >= 0;
      topic.partitions[static_cast<size_t>(partition.partition_index)] = {
          .leader_id = partition.leader_id,
          .leader_epoch = partition.leader_epoch,
          .replicas = std::move(partition.replica_nodes),
          .isr = std::move(partition.isr_nodes),
          .offline = std::move(partition.offline_replicas)};
    }
    if (is_complete) {
      topics_[name] = topic;
      co_return topic;
    }
    const bool may_appear = code == ErrorCode::unknown_topic_or_partition && allow_auto_create;
    const bool may_pass = code == ErrorCode::none || is_worth_retrying(code) || may_appear;
    if (may_pass && co_await back_off(deadline_us)) continue;
    if (code == ErrorCode::none) co_return topic;  // some partition has no leader; the caller sees which
    co_return fail(server_error(code, fmt::format("topic {}", name)));
  }
}

task<void> Cluster::close() {
  if (bootstrap_) bootstrap_->close();
  for (const auto& [id, broker] : brokers_) broker->close();
  co_await readers_.join();
}

}  // namespace moldau::client
