#include "client/offsets.h"

#include <fmt/core.h>

#include <map>

#include "protocol/messages/list_offsets_request.h"
#include "protocol/messages/list_offsets_response.h"

namespace moldau::client {

namespace {

std::string name_of(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition);
}

// The queries of `places`, in one request.
protocol::ListOffsetsRequest request_for(const std::vector<OffsetQuery>& queries,
                                         const std::vector<size_t>& places, Isolation isolation) {
  protocol::ListOffsetsRequest request;
  request.replica_id = -1;
  request.isolation_level = static_cast<int8_t>(isolation);
  request.timeout_ms = 10'000;
  for (const size_t place : places) {
    const OffsetQuery& query = queries[place];
    if (request.topics.empty() || request.topics.back().name != query.partition.topic)
      request.topics.emplace_back().name = query.partition.topic;
    auto& wanted = request.topics.back().partitions.emplace_back();
    wanted.partition_index = query.partition.partition;
    wanted.timestamp = query.timestamp;
  }
  return request;
}

// The leader of a partition, or why there is none.
task<client_result<int32_t>> leader_of(Cluster& cluster, TopicPartition partition) {
  MOLDAU_CO_TRY(const TopicMetadata topic, co_await cluster.topic(partition.topic));
  if (partition.partition < 0 || std::cmp_greater_equal(partition.partition, topic.partitions.size())) {
    co_return fail(
        Error{.kind = Error::Kind::invalid,
              .code = protocol::ErrorCode::unknown_topic_or_partition,
              .message = fmt::format("topic {} has no partition {}, only 0 to {}", partition.topic,
                                     partition.partition, static_cast<int64_t>(topic.partitions.size()) - 1),
              .advice = fmt::format("See its partitions with: moldau topic describe {}", partition.topic)});
  }
  const int32_t leader = topic.partitions[static_cast<size_t>(partition.partition)].leader_id;
  if (leader < 0) {
    cluster.forget_topic(partition.topic);
    co_return fail(server_error(protocol::ErrorCode::leader_not_available, name_of(partition)));
  }
  co_return leader;
}

}  // namespace

task<client_result<std::vector<FoundOffset>>> find_offsets(Cluster& cluster, std::vector<OffsetQuery> queries,
                                                           Isolation isolation) {
  const int64_t deadline_us = cluster.retry_deadline_us();
  std::vector<FoundOffset> found(queries.size());
  std::vector<size_t> open(queries.size());
  for (size_t i = 0; i < queries.size(); ++i) {
    found[i].partition = queries[i].partition;
    open[i] = i;
  }
  while (true) {
    // A request may name a partition once: a second query for it goes into a second request.
    std::map<std::pair<int32_t, int>, std::vector<size_t>> requests;
    std::map<TopicPartition, int> repeats;
    for (const size_t place : open) {
      auto leader = co_await leader_of(cluster, queries[place].partition);
      if (leader) {
        requests[{*leader, repeats[queries[place].partition]++}].push_back(place);
      } else if (leader.error().kind == Error::Kind::cannot_connect) {
        co_return fail(std::move(leader).error());
      } else {
        found[place].error = std::move(leader).error();
      }
    }
    for (const auto& [target, places] : requests) {
      std::map<TopicPartition, size_t> expected;
      for (const size_t place : places) {
        expected[queries[place].partition] = place;
        found[place].error = Error{.kind = Error::Kind::malformed,
                                   .message = fmt::format("the broker's answer says nothing of {}",
                                                          name_of(queries[place].partition))};
      }
      auto broker = co_await cluster.broker(target.first);
      result<Reply<protocol::ListOffsetsResponse>, Error> reply =
          broker ? co_await (*broker)->call<protocol::ListOffsetsResponse>(
                       request_for(queries, places, isolation))
                 : fail(Error(broker.error()));
      if (!reply) {
        for (const size_t place : places) {
          found[place].error = reply.error();
          cluster.forget_topic(queries[place].partition.topic);
        }
        continue;
      }
      for (const auto& topic : reply->message.topics) {
        for (const auto& answer : topic.partitions) {
          const auto at = expected.find({topic.name, answer.partition_index});
          if (at == expected.end()) continue;
          FoundOffset& answered = found[at->second];
          answered.error.reset();
          if (answer.error_code != 0) {
            answered.error = server_error(error_code(answer.error_code), name_of(answered.partition));
            if (needs_new_metadata(answered.error->code)) cluster.forget_topic(topic.name);
          }
          answered.offset = answer.offset;
          answered.timestamp = answer.timestamp;
          answered.leader_epoch = answer.leader_epoch;
        }
      }
    }
    std::vector<size_t> again;
    for (const size_t place : open) {
      if (found[place].error && is_worth_retrying(*found[place].error)) again.push_back(place);
    }
    if (again.empty() || !co_await cluster.back_off(deadline_us)) co_return found;
    open = std::move(again);
  }
}

}  // namespace moldau::client
