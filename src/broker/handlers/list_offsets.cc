// ListOffsets: the offset of a time, or of what a special timestamp names (KIP-79, KIP-734, KIP-405, KIP-1005).
#include "broker/api_handlers.h"
#include "broker/partition_requests.h"
#include "broker/reply.h"
#include "protocol/messages/list_offsets_request.h"
#include "protocol/messages/list_offsets_response.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using runtime::task;
using security::Operation;
using security::ResourceType;

namespace {

struct SpecialTimestamp {
  int64_t timestamp_ms;
  int16_t first_version;
};
constexpr SpecialTimestamp special_timestamps[] = {
    {storage::max_timestamp, 7}, {storage::earliest_local_timestamp, 8}, {storage::latest_tiered_timestamp, 9},
    {-6 /* earliest pending upload, KIP-1023 */, 11}};

bool is_known_timestamp(int64_t timestamp_ms, int16_t version) {
  if (timestamp_ms >= storage::earliest_timestamp) return true;
  for (const SpecialTimestamp& special : special_timestamps)
    if (special.timestamp_ms == timestamp_ms) return version >= special.first_version;
  return false;
}

using PartitionAnswer = ListOffsetsResponse::ListOffsetsPartitionResponse;

void refuse(PartitionAnswer& answer, ErrorCode error) {
  answer.error_code = static_cast<int16_t>(error);
  answer.timestamp = -1;
  answer.offset = -1;
}

task<void> find_offset(Partition& partition, const ListOffsetsRequest::ListOffsetsPartition& asked, bool read_committed,
                       PartitionAnswer& answer) {
  if (const ErrorCode fenced = partition.check_leader_epoch(asked.current_leader_epoch); fenced != ErrorCode::none)
    co_return refuse(answer, fenced);
  const std::shared_ptr<storage::Log> held = partition.shared_log();
  storage::Log& log = *held;
  // A reader of committed data sees the log as if it ended at the last stable offset.
  const Offset end = read_committed ? log.last_stable_offset() : log.high_watermark();
  answer.timestamp = -1;
  answer.offset = -1;
  if (asked.timestamp == storage::latest_timestamp) {
    answer.offset = end.value();
    answer.leader_epoch = partition.leader_epoch();
    co_return;
  }
  const auto found = co_await log.offset_for_timestamp(asked.timestamp);
  if (!found) co_return refuse(answer, found.error().code);
  if (!*found) co_return;
  const bool is_a_record = asked.timestamp >= 0 || asked.timestamp == storage::max_timestamp;
  if (is_a_record && (*found)->offset >= end) co_return;
  answer.offset = (*found)->offset.value();
  answer.timestamp = (*found)->timestamp_ms;
  answer.leader_epoch = (*found)->leader_epoch.value();
}

}  // namespace

task<Reply> handle_list_offsets(RequestContext& context, Gate<ApiKey::list_offsets> gate) {
  MOLDAU_DECODE(ListOffsetsRequest, request, context);
  const metadata::MetadataImagePtr image = context.shard.image;
  const bool read_committed = request.isolation_level == 1;
  ListOffsetsResponse response;
  response.topics.resize(request.topics.size());
  std::vector<PartitionCall> calls;
  for (size_t i = 0; i < request.topics.size(); ++i) {
    const auto& asked_topic = request.topics[i];
    auto& topic_answer = response.topics[i];
    topic_answer.name = asked_topic.name;
    topic_answer.partitions.resize(asked_topic.partitions.size());
    const auto access = gate.may<Operation::describe, ResourceType::topic>(asked_topic.name);
    const metadata::Topic* topic = image->find_topic(asked_topic.name);
    for (size_t j = 0; j < asked_topic.partitions.size(); ++j) {
      const auto& asked = asked_topic.partitions[j];
      PartitionAnswer& answer = topic_answer.partitions[j];
      answer.partition_index = asked.partition_index;
      if (!access) {
        refuse(answer, ErrorCode::topic_authorization_failed);
        continue;
      }
      if (!is_known_timestamp(asked.timestamp, context.version)) {
        refuse(answer, ErrorCode::unsupported_version);
        continue;
      }
      if (topic == nullptr || topic->find(asked.partition_index) == nullptr) {
        refuse(answer, ErrorCode::unknown_topic_or_partition);
        continue;
      }
      calls.push_back({.access = *access,
                       .key = {topic->id, asked.partition_index},
                       .answer = [&asked, &answer, read_committed](Partition& partition) {
                         return find_offset(partition, asked, read_committed, answer);
                       },
                       .refuse = [&answer](ErrorCode error) { refuse(answer, error); }});
    }
  }
  co_await call_partitions(context.broker, std::move(calls));
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
