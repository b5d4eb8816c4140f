// DescribeProducers (KIP-664): who writes to a partition with a producer id, and which transactions are open in it.
#include "broker/api_handlers.h"
#include "broker/partition_requests.h"
#include "broker/reply.h"
#include "metadata/topic_name.h"
#include "protocol/messages/describe_producers_request.h"
#include "protocol/messages/describe_producers_response.h"

namespace moldau::broker {

using protocol::DescribeProducersRequest;
using protocol::DescribeProducersResponse;
using protocol::ErrorCode;
using runtime::task;
using security::Operation;
using security::ResourceType;

using PartitionAnswer = DescribeProducersResponse::PartitionResponse;

static void refuse(PartitionAnswer& answer, ErrorCode error) {
  answer.error_code = static_cast<int16_t>(error);
  answer.error_message = std::string(protocol::error_message(error));
}

static task<void> describe(Partition& partition, PartitionAnswer& answer) {
  for (const storage::ActiveProducer& producer : partition.log().active_producers()) {
    auto& entry = answer.active_producers.emplace_back();
    entry.producer_id = producer.producer_id.value();
    entry.producer_epoch = producer.epoch.value();
    entry.last_sequence = producer.last_sequence;
    entry.last_timestamp = producer.last_timestamp_ms;
    entry.coordinator_epoch = producer.coordinator_epoch;
    entry.current_txn_start_offset = producer.transaction_start_offset.value();
  }
  co_return;
}

task<Reply> handle_describe_producers(RequestContext& context, Gate<ApiKey::describe_producers> gate) {
  MOLDAU_DECODE(DescribeProducersRequest, request, context);
  const metadata::MetadataImagePtr image = context.shard.image;
  DescribeProducersResponse response;
  response.topics.resize(request.topics.size());
  std::vector<PartitionCall> calls;
  for (size_t i = 0; i < request.topics.size(); ++i) {
    response.topics[i].name = request.topics[i].name;
    response.topics[i].partitions.resize(request.topics[i].partition_indexes.size());
    const std::optional<std::string> bad_name = metadata::topic_name_problem(request.topics[i].name);
    const auto access = bad_name ? std::nullopt : gate.may<Operation::read, ResourceType::topic>(request.topics[i].name);
    const metadata::Topic* topic = image->find_topic(request.topics[i].name);
    for (size_t j = 0; j < request.topics[i].partition_indexes.size(); ++j) {
      const int32_t index = request.topics[i].partition_indexes[j];
      PartitionAnswer& answer = response.topics[i].partitions[j];
      answer.partition_index = index;
      if (bad_name) {
        refuse(answer, ErrorCode::invalid_topic_exception);
        answer.error_message = *bad_name;
        continue;
      }
      if (!access) {
        refuse(answer, ErrorCode::topic_authorization_failed);
        continue;
      }
      if (topic == nullptr || topic->find(index) == nullptr) {
        refuse(answer, ErrorCode::unknown_topic_or_partition);
        continue;
      }
      calls.push_back({.access = *access,
                       .key = {topic->id, index},
                       .answer = [&answer](Partition& partition) { return describe(partition, answer); },
                       .refuse = [&answer](ErrorCode error) { refuse(answer, error); }});
    }
  }
  co_await call_partitions(context.broker, std::move(calls));
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
