// Cluster: the brokers of one cluster, the connections to them, and what is known of topics.
//
// Connections are opened when first asked for and replaced when they have ended. Topic metadata is fetched
// when missing and dropped when a caller says that it proved wrong; nothing is refreshed in the background.
// One shard; close() before it is destroyed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/connection.h"
#include "protocol/messages/metadata_response.h"

namespace moldau::client {

struct ClusterOptions {
  std::vector<runtime::Address> bootstrap{{"127.0.0.1", 9092}};
  ConnectionOptions connection;
  int64_t retry_timeout_ms = 30'000;  // how long retriable errors are tried again
  int64_t retry_backoff_ms = 100;
};

struct PartitionMetadata {
  int32_t leader_id = -1;  // -1: none
  int32_t leader_epoch = -1;
  std::vector<int32_t> replicas;
  std::vector<int32_t> isr;
  std::vector<int32_t> offline;
};

struct TopicMetadata {
  std::string name;
  Uuid id;
  bool is_internal = false;
  std::vector<PartitionMetadata> partitions;  // by index
};

using BrokerPtr = std::shared_ptr<BrokerConnection>;

class Cluster {
 public:
  Cluster(runtime::Environment& environment, ClusterOptions options);
  ~Cluster();

  // A connection to any broker that can be reached.
  task<client_result<BrokerPtr>> any_broker();
  // A connection to this one.
  task<client_result<BrokerPtr>> broker(int32_t node_id);
  // A connection to the coordinator of a group.
  task<client_result<BrokerPtr>> group_coordinator(std::string group_id);

  // What is known of a topic, fetched if need be. A topic without a partition's leader is waited for up to
  // the retry timeout. `allow_auto_create` asks the broker to create it (if it does that at all), and waits
  // for it.
  task<client_result<TopicMetadata>> topic(std::string name, bool allow_auto_create = false);
  // All topics, or those named, as the broker lists them now.
  task<client_result<protocol::MetadataResponse>> metadata(std::optional<std::vector<std::string>> topics);
  void forget_topic(const std::string& name) { topics_.erase(name); }
  void forget_coordinator(const std::string& group_id) { coordinators_.erase(group_id); }

  // Calls any broker, and tries again while the connection fails or `retriable_code` finds a retriable error
  // in the answer.
  template <class Response, class Request>
  task<client_result<Reply<Response>>> call_any(Request request, int64_t extra_timeout_ms = 0);

  // Calls a group's coordinator, looks for it anew when it has moved (by the error code that `code_of`
  // finds), and tries again while that is retriable. `extra_timeout_ms`: see BrokerConnection::call.
  template <class Response, class Request>
  task<client_result<Reply<Response>>> call_coordinator(
      std::string group_id, Request request, std::function<protocol::ErrorCode(const Response&)> code_of,
      int16_t max_version = INT16_MAX, int64_t extra_timeout_ms = 0);

  [[nodiscard]] runtime::Environment& environment() { return environment_; }
  [[nodiscard]] const ClusterOptions& options() const { return options_; }
  // The instant on the shard's clock until which an operation that starts now is tried again.
  [[nodiscard]] int64_t retry_deadline_us() const;
  // Waits before another try; false when that would be beyond the deadline.
  task<bool> back_off(int64_t deadline_us);

  // Ends every connection and waits for their readers.
  task<void> close();

 private:
  task<client_result<BrokerPtr>> connect(runtime::Address address);
  void learn(const protocol::MetadataResponse& response);

  runtime::Environment& environment_;
  ClusterOptions options_;
  runtime::Scope readers_;
  BrokerPtr bootstrap_;
  std::map<int32_t, runtime::Address> addresses_;
  std::map<int32_t, BrokerPtr> brokers_;
  std::map<std::string, TopicMetadata> topics_;
  std::map<std::string, int32_t> coordinators_;
  runtime::Mutex connecting_;
};

template <class Response, class Request>
task<client_result<Reply<Response>>> Cluster::call_any(Request request, int64_t extra_timeout_ms) {
  const int64_t deadline_us = retry_deadline_us();
  while (true) {
    auto broker = co_await any_broker();
    if (!broker) co_return fail(std::move(broker).error());
    auto reply = co_await (*broker)->template call<Response>(request, extra_timeout_ms);
    // A connection that had died while idle; anything else may have been carried out already.
    if (reply || reply.error().kind != Error::Kind::disconnected) co_return reply;
    if (!co_await back_off(deadline_us)) co_return reply;
  }
}

template <class Response, class Request>
task<client_result<Reply<Response>>> Cluster::call_coordinator(
    std::string group_id, Request request, std::function<protocol::ErrorCode(const Response&)> code_of,
    int16_t max_version, int64_t extra_timeout_ms) {
  const int64_t deadline_us = retry_deadline_us();
  while (true) {
    auto broker = co_await group_coordinator(group_id);
    if (!broker) co_return fail(std::move(broker).error());
    auto reply = co_await (*broker)->template call<Response>(request, extra_timeout_ms, max_version);
    if (reply) {
      const protocol::ErrorCode code = code_of(reply->message);
      const bool has_moved = code == protocol::ErrorCode::not_coordinator ||
                             code == protocol::ErrorCode::coordinator_not_available ||
                             code == protocol::ErrorCode::coordinator_load_in_progress;
      if (!has_moved) co_return reply;
    } else if (reply.error().kind != Error::Kind::disconnected) {
      co_return reply;
    }
    forget_coordinator(group_id);
    if (!co_await back_off(deadline_us)) co_return reply;
  }
}

}  // namespace moldau::client
