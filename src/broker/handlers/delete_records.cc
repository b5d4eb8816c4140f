// DeleteRecords (KIP-107): moves the start of a partition's log up; what lies below is deleted with its segment.
#include "broker/api_handlers.h"
#include "broker/partition_requests.h"
#include "broker/reply.h"
#include "protocol/messages/delete_records_request.h"
#include "protocol/messages/delete_records_response.h"

namespace moldau::broker {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;
using protocol::ErrorCode;
using runtime::task;
using security::Operation;
using security::ResourceType;

using PartitionAnswer = DeleteRecordsResponse::DeleteRecordsPartitionResult;

static void refuse(PartitionAnswer& answer, ErrorCode error) {
  answer.error_code = static_cast<int16_t>(error);
  answer.low_watermark = -1;
}

static task<void> delete_before(Partition& partition, int64_t offset, PartitionAnswer& answer) {
  const std::shared_ptr<Partition> held = partition.shared_from_this();
  const storage::Log& log = partition.log();
  if (!log.config().is_deleted) co_return refuse(answer, ErrorCode::policy_violation);  // as Kafka: not on compacted topics
  const Offset to = offset == -1 ? log.high_watermark() : Offset(offset);
  if (to.value() < 0) co_return refuse(answer, ErrorCode::offset_out_of_range);
  const auto deleted = co_await partition.delete_records_before(to);
  if (!deleted) co_return refuse(answer, deleted.error().code);
  partition.fire_watches();
  answer.low_watermark = partition.log().log_start_offset().value();
}

task<Reply> handle_delete_records(RequestContext& context, Gate<ApiKey::delete_records> gate) {
  MOLDAU_DECODE(DeleteRecordsRequest, request, context);
  const metadata::MetadataImagePtr image = context.shard.image;
  DeleteRecordsResponse response;
  response.topics.resize(request.topics.size());
  std::vector<PartitionCall> calls;
  for (size_t i = 0; i < request.topics.size(); ++i) {
    response.topics[i].name = request.topics[i].name;
    response.topics[i].partitions.resize(request.topics[i].partitions.size());
    const auto access = gate.may<Operation::delete_, ResourceType::topic>(request.topics[i].name);
    const metadata::Topic* topic = image->find_topic(request.topics[i].name);
    for (size_t j = 0; j < request.topics[i].partitions.size(); ++j) {
      const auto& asked = request.topics[i].partitions[j];
      PartitionAnswer& answer = response.topics[i].partitions[j];
      answer.partition_index = asked.partition_index;
      if (!access) {
        refuse(answer, ErrorCode::topic_authorization_failed);
      } else if (topic == nullptr || topic->find(asked.partition_index) == nullptr) {
        refuse(answer, ErrorCode::unknown_topic_or_partition);
      } else if (is_internal_topic(topic->name)) {
        refuse(answer, ErrorCode::invalid_topic_exception);
      } else {
        calls.push_back({.access = *access,
                         .key = {topic->id, asked.partition_index},
                         .answer = [&asked, &answer](Partition& partition) { return delete_before(partition, asked.offset, answer); },
                         .refuse = [&answer](ErrorCode error) { refuse(answer, error); }});
      }
    }
  }
  co_await call_partitions(context.broker, std::move(calls));
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
