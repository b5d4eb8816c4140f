// Fetch: gives consumers records, as ranges of files, and lets them wait for more.
//
// The request is planned per shard. If fetch.min.bytes are not there yet, it parks: every partition keeps a watch, and
// whoever fires it has the whole request read again. The deadline, an error, or the client's going away ends the wait.
#include "broker/api_handlers.h"
#include "broker/fetch_read.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using runtime::task;
using security::Operation;
using security::ResourceType;

namespace {

constexpr int16_t first_version_by_id = 13;

bool is_satisfied(const std::vector<FetchedPartition>& read, int32_t min_bytes) {
  uint64_t total_bytes = 0;
  for (const FetchedPartition& partition : read) {
    if (partition.ends_wait) return true;
    total_bytes += partition.size_bytes;
  }
  return min_bytes <= 0 || total_bytes >= static_cast<uint64_t>(min_bytes);
}

// Puts the answers into the response, by topic in the order of the items, and their ranges in the same order.
FetchResponse make_response(FetchContext& fetch, std::vector<FetchedPartition>& read, int16_t version,
                            std::vector<Reply::FileRange>& ranges) {
  FetchResponse response;
  response.session_id = fetch.session_id;
  const bool by_id = version >= first_version_by_id;
  for (size_t i = 0; i < fetch.items.size(); ++i) {
    FetchItem& item = *fetch.items[i];
    FetchedPartition& partition = read[i];
    const bool has_records = partition.size_bytes > 0;
    // The topic is read before `include`, which may move the item within its session.
    const bool same_topic = !response.responses.empty() && (by_id ? response.responses.back().topic_id == item.topic_id
                                                                  : response.responses.back().topic == item.topic);
    const bool included = fetch.include(item, partition.answer, has_records);
    if (!included) continue;
    if (!same_topic) {
      auto& topic = response.responses.emplace_back();
      topic.topic = item.topic;
      topic.topic_id = item.topic_id;
    }
    partition.answer.records = has_records ? protocol::Records::deferred(static_cast<uint32_t>(partition.size_bytes))
                                           : protocol::Records(ByteView());
    response.responses.back().partitions.push_back(std::move(partition.answer));
    if (!has_records) continue;
    // One splice a partition, but maybe several ranges: the reply pairs them by size.
    ranges.insert(ranges.end(), std::make_move_iterator(partition.ranges.begin()),
                  std::make_move_iterator(partition.ranges.end()));
  }
  return response;
}

// Puts the ranges at the places that the writer left out.
Reply make_fetch_reply(const RequestContext& context, const FetchResponse& response, std::vector<Reply::FileRange> ranges) {
  Reply reply = make_reply(context, response);
  std::vector<Reply::FileRange> placed;
  placed.reserve(ranges.size());
  size_t next = 0;
  for (const Reply::FileRange& gap : reply.ranges) {
    for (uint64_t missing = gap.size_bytes; missing > 0; ++next) {
      MOLDAU_ASSERT(next < ranges.size() && ranges[next].size_bytes <= missing);
      missing -= ranges[next].size_bytes;
      ranges[next].after_bytes = gap.after_bytes;
      placed.push_back(std::move(ranges[next]));
    }
  }
  MOLDAU_ASSERT(next == ranges.size());
  reply.ranges = std::move(placed);
  return reply;
}

// Somebody who takes himself for a broker and is none: every partition is refused, as a topic that he may not read is.
Reply refuse_follower(const RequestContext& context, FetchContext& fetch) {
  std::vector<FetchedPartition> refused(fetch.items.size());
  for (size_t i = 0; i < refused.size(); ++i) {
    refused[i].answer.partition_index = fetch.items[i]->partition;
    refuse(refused[i], ErrorCode::topic_authorization_failed);
  }
  std::vector<Reply::FileRange> none;
  return make_reply(context, make_response(fetch, refused, context.version, none));
}

}  // namespace

task<Reply> handle_fetch(RequestContext& context, Gate<ApiKey::fetch> gate) {
  MOLDAU_DECODE(FetchRequest, request, context);
  runtime::Shard& shard = context.shard.shard;
  const bool is_follower = request.replica_id >= 0 || request.replica_state.replica_id >= 0;
  if (is_follower && gate.may_on_cluster<Operation::cluster_action>()) {
    FetchResponse refused;  // no other broker can belong to a cluster of one
    refused.error_code = static_cast<int16_t>(ErrorCode::invalid_request);
    co_return make_reply(context, refused);
  }
  FetchContext fetch = context.shard.fetch_sessions.open(request, context.version, shard.now_us());
  if (fetch.error != ErrorCode::none) {
    FetchResponse refused;
    refused.error_code = static_cast<int16_t>(fetch.error);
    refused.session_id = 0;
    co_return make_reply(context, refused);
  }
  if (is_follower) co_return refuse_follower(context, fetch);
  const FetchTerms terms{.version = context.version,
                         .read_committed = request.isolation_level == 1,
                         .max_bytes = std::min(request.max_bytes, context.broker.config.fetch.fetch_max_bytes)};
  const int64_t deadline_us = context.received_us + int64_t{std::max(request.max_wait_ms, 0)} * 1000;

  std::vector<FetchedPartition> read;
  while (true) {
    const metadata::MetadataImagePtr image = context.shard.image;
    const bool may_wait = shard.now_us() < deadline_us && !fetch.items.empty() && !context.connection.watch->closed();
    auto watch = may_wait ? std::make_shared<FetchWatch>(shard) : nullptr;
    read = co_await read_partitions(context.broker, context.shard, fetch, *image, gate, terms, watch);
    if (!may_wait) break;
    if (is_satisfied(read, request.min_bytes) || context.connection.watch->closed()) {
      watch->abandon();
      break;
    }
    context.connection.watch->on_close(watch.get(), [watch] { watch->fire(); });
    co_await watch->wait_until(deadline_us);
    watch->abandon();
    if (!context.connection.watch->closed()) context.connection.watch->remove(watch.get());
  }
  for (const FetchedPartition& partition : read)
    if (partition.size_bytes > 0) context.shard.count_fetched({partition.topic_id, partition.answer.partition_index}, partition.size_bytes);
  std::vector<Reply::FileRange> ranges;
  const FetchResponse response = make_response(fetch, read, context.version, ranges);
  co_return make_fetch_reply(context, response, std::move(ranges));
}

}  // namespace moldau::broker
