#include "client/fetcher.h"

#include <fmt/core.h>

#include <algorithm>

#include "protocol/messages/fetch_request.h"

namespace moldau::client {

namespace {

constexpr int32_t no_session_epoch = -1;

protocol::FetchRequest request_for(const FetchOptions& options, int32_t max_wait_ms) {
  protocol::FetchRequest request;
  request.replica_id = -1;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = options.min_bytes;
  request.max_bytes = options.max_bytes;
  request.isolation_level = static_cast<int8_t>(options.isolation);
  request.session_id = 0;
  request.session_epoch = no_session_epoch;
  return request;
}

}  // namespace

task<client_result<std::vector<FetchedPartition>>> Fetcher::poll(int32_t max_wait_ms) {
  std::vector<TopicPartition> order;
  for (const auto& [partition, offset] : positions_) order.push_back(partition);
  if (!order.empty())
    std::ranges::rotate(order, order.begin() + static_cast<ptrdiff_t>(rotation_++ % order.size()));

  std::vector<FetchedPartition> fetched;
  std::map<int32_t, std::vector<TopicPartition>> by_leader;
  for (const TopicPartition& partition : order) {
    auto topic = co_await cluster_.topic(partition.topic);
    if (!topic && topic.error().kind == Error::Kind::cannot_connect) co_return fail(std::move(topic).error());
    if (!topic) {
      fetched.push_back(
          {.partition = partition, .next_offset = positions_[partition], .error = std::move(topic).error()});
      continue;
    }
    const bool exists =
        partition.partition >= 0 && std::cmp_less(partition.partition, topic->partitions.size());
    const int32_t leader =
        exists ? topic->partitions[static_cast<size_t>(partition.partition)].leader_id : -1;
    if (leader < 0) {
      cluster_.forget_topic(partition.topic);
      fetched.push_back({.partition = partition,
                         .next_offset = positions_[partition],
                         .error = server_error(exists ? protocol::ErrorCode::leader_not_available
                                                      : protocol::ErrorCode::unknown_topic_or_partition,
                                               fmt::format("{}-{}", partition.topic, partition.partition))});
      continue;
    }
    by_leader[leader].push_back(partition);
  }
  if (by_leader.empty() && !order.empty()) co_await runtime::sleep_ms(cluster_.options().retry_backoff_ms);
  runtime::Scope requests;
  for (auto& [leader, partitions] : by_leader)
    requests.spawn(fetch_from(leader, std::move(partitions), max_wait_ms, fetched));
  co_await requests.join();
  const bool is_unreachable =
      !fetched.empty() && std::ranges::all_of(fetched, [](const FetchedPartition& one) {
        return one.error && one.error->kind == Error::Kind::cannot_connect;
      });
  if (is_unreachable) co_return fail(std::move(*fetched.front().error));
  for (const FetchedPartition& one : fetched) {
    if (const auto position = positions_.find(one.partition); position != positions_.end())
      position->second = one.next_offset;
  }
  co_return fetched;
}

task<void> Fetcher::fetch_from(int32_t leader, std::vector<TopicPartition> partitions, int32_t max_wait_ms,
                               std::vector<FetchedPartition>& into) {
  const auto fail_all = [&](const Error& error) {
    for (const TopicPartition& partition : partitions) {
      cluster_.forget_topic(partition.topic);
      into.push_back({.partition = partition, .next_offset = positions_[partition], .error = error});
    }
  };
  auto broker = co_await cluster_.broker(leader);
  if (!broker) co_return fail_all(broker.error());

  protocol::FetchRequest request = request_for(options_, max_wait_ms);
  std::map<Uuid, std::string> names;
  bool has_ids = true;
  for (const TopicPartition& partition : partitions) {
    const auto topic = co_await cluster_.topic(partition.topic);
    if (!topic) co_return fail_all(topic.error());
    const auto index = static_cast<size_t>(partition.partition);
    if (index >= topic->partitions.size()) continue;  // made anew with fewer since the poll began
    has_ids = has_ids && !topic->id.is_zero();
    names[topic->id] = topic->name;
    if (request.topics.empty() || request.topics.back().topic != topic->name) {
      auto& wanted = request.topics.emplace_back();
      wanted.topic = topic->name;
      wanted.topic_id = topic->id;
    }
    auto& wanted = request.topics.back().partitions.emplace_back();
    wanted.partition = partition.partition;
    wanted.current_leader_epoch = topic->partitions[index].leader_epoch;
    wanted.fetch_offset = positions_[partition];
    wanted.partition_max_bytes = options_.partition_max_bytes;
  }
  const int16_t max_version = has_ids ? int16_t{INT16_MAX} : int16_t{12};  // 13 names topics by id
  auto reply =
      co_await (*broker)->call<protocol::FetchResponse>(std::move(request), max_wait_ms, max_version);
  if (!reply) co_return fail_all(reply.error());
  if (reply->message.error_code != 0)
    co_return fail_all(server_error(error_code(reply->message.error_code),
                                    fmt::format("reading from {}", (*broker)->address())));
  for (const auto& topic : reply->message.responses) {
    const std::string name = reply->version >= 13 ? names[topic.topic_id] : topic.topic;
    for (const auto& data : topic.partitions) {
      const TopicPartition partition{name, data.partition_index};
      const auto position = positions_.find(partition);
      if (position == positions_.end()) continue;
      FetchedPartition one = read_fetched(data, partition, position->second, options_.isolation);
      if (data.error_code != 0) {
        one.error = server_error(
            error_code(data.error_code),
            fmt::format("{}-{} at offset {}", partition.topic, partition.partition, position->second));
        if (needs_new_metadata(one.error->code)) cluster_.forget_topic(partition.topic);
      }
      into.push_back(std::move(one));
    }
  }
}

}  // namespace moldau::client
