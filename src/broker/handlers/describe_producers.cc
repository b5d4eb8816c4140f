// DescribeProducers (KIP-664): who writes to a partition with a producer id, and which transactions are open in it.
#include "broker/api_handlers.h"
#include "broker/partition_requests.h"
#include "broker/reply.h"
#include "protocol/messages/describe_producers_request.h"
#include "protocol/messages/describe_producers_response.h"

namespace moldau::broker {

using protocol::DescribeProducersRequest;
using protocol::DescribeProducersResponse;
using protocol::ErrorCode;
using runtime::task;

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

task<Reply> handle_describe_producers(RequestContext& context) {
  MOLDAU_DECODE(DescribeProducersRequest, request, context);
  const metadata::MetadataImagePtr image = context.shard.image;
  DescribeProducersResponse response;
  response.topics.resize(request.topics.size());
  std::vector<PartitionCall> calls;
  for (size_t i = 0; i < request.topics.size(); ++i) {
    response.topics[i].name = request.topics[i].name;
    response.topics[i].partitions.resize(request.topics[i].partition_indexes.size());
    const metadata::Topic* topic = image->find_topic(request.topics[i].name);
    for (size_t j = 0; j < request.topics[i].partition_indexes.size(); ++j) {
      const int32_t index = request.topics[i].partition_indexes[j];
      PartitionAnswer& answer = response.topics[i].partitions[j];
      answer.partition_index = index;
      if (topic == nullptr || topic->find(index) == nullptr) {
        refuse(answer, ErrorCode::unknown_topic_or_partition);
        continue;
      }
      calls.push_back({.key = {topic->id, index},
                       .answer = [&answer](Partition& partition) { return describe(partition, answer); },
                       .refuse = [&answer](ErrorCode error) { refuse(answer, error); }});
    }
  }
  co_await call_partitions(context.broker, std::move(calls));
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
