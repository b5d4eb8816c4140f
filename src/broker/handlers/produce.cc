// Produce: appends batches to the partitions that this node leads.
//
// Each partition is checked and appended on its home shard, all shards at the same time; the answer stands in the order
// of the request. With a quorum of one and one replica, what is appended is what all in-sync replicas have.
#include "broker/api_handlers.h"
#include "broker/gather.h"
#include "broker/partition.h"
#include "broker/reply.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "protocol/record_batch.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::ProduceRequest;
using protocol::ProduceResponse;
using runtime::task;
using security::Operation;
using security::ResourceType;

namespace {

constexpr int16_t first_version_by_id = 13;

struct Part {
  security::Authorized access;  // to the topic
  const ProduceRequest::PartitionProduceData* data = nullptr;
  ProduceResponse::PartitionProduceResponse* answer = nullptr;
  Uuid topic_id;
  size_t home = 0;
};

struct Terms {
  int16_t acks = 0;
  int16_t version = 0;
  int64_t deadline_us = INT64_MAX;
  bool internal_allowed = false;  // the admin client may write to internal topics
};

void answer_with(ProduceResponse::PartitionProduceResponse& answer, ErrorCode error, std::string message = {}) {
  answer.error_code = static_cast<int16_t>(error);
  answer.base_offset = -1;
  if (!message.empty()) answer.error_message = std::move(message);
}

// The frame belongs to this request alone, and nobody reads its records again: the log may patch them where they lie.
MutableByteView writable(ByteView records) { return {const_cast<std::byte*>(records.data()), records.size()}; }

// Whether a batch says that it belongs to a transaction; nothing else of it is checked here.
bool is_transactional(const protocol::Records& records) {
  return records.bytes.size() >= protocol::record_batch_header_bytes &&
         protocol::read_batch_header(records.bytes).is_transactional();
}

bool has_transactional_batch(const ProduceRequest& request) {
  for (const auto& topic : request.topic_data)
    if (std::ranges::any_of(topic.partition_data, [](const auto& data) { return is_transactional(data.records); })) return true;
  return false;
}

task<void> append_part(BrokerShard& shard, const Part& part, Terms terms) {
  Partition* partition = shard.find(part.topic_id, part.data->index);
  if (partition == nullptr) {
    answer_with(*part.answer, shard.absent_error({part.topic_id, part.data->index}));
    co_return;
  }
  const AppendTerms append_terms{.acks = terms.acks, .produce_version = terms.version, .deadline_us = terms.deadline_us};
  AppendAnswer appended = co_await partition->append(writable(part.data->records.bytes), append_terms);
  ProduceResponse::PartitionProduceResponse& answer = *part.answer;
  answer.error_code = static_cast<int16_t>(appended.error);
  answer.base_offset = appended.base_offset;
  answer.log_append_time_ms = appended.log_append_time_ms;
  answer.log_start_offset = appended.log_start_offset;
  if (!appended.message.empty()) answer.error_message = std::move(appended.message);
  for (auto& record_error : appended.record_errors) {
    auto& entry = answer.record_errors.emplace_back();
    entry.batch_index = record_error.batch_index;
    entry.batch_index_error_message = std::move(record_error.message);
  }
}

task<void> append_on(BrokerShard& shard, const std::vector<Part>& parts, Terms terms) {
  for (const Part& part : parts)
    if (part.home == static_cast<size_t>(shard.shard.index())) co_await append_part(shard, part, terms);
}

}  // namespace

task<Reply> handle_produce(RequestContext& context, Gate<ApiKey::produce> gate) {
  MOLDAU_DECODE(ProduceRequest, request, context);
  const metadata::MetadataImagePtr image = context.shard.image;
  const bool known_acks = request.acks >= -1 && request.acks <= 1;
  // To Kafka a client without a transactional id may not use the one that it has not named.
  const bool unauthorized =
      has_transactional_batch(request) &&
      (!request.transactional_id || !gate.may<Operation::write, ResourceType::transactional_id>(*request.transactional_id));
  const Terms terms{.acks = request.acks,
                    .version = context.version,
                    .deadline_us = context.received_us + int64_t{std::max(request.timeout_ms, 0)} * 1000,
                    .internal_allowed = context.client_id == "__admin_client"};

  ProduceResponse response;
  response.responses.resize(request.topic_data.size());
  std::vector<Part> parts;
  std::vector<bool> is_home(context.broker.shards.size(), false);
  for (size_t i = 0; i < request.topic_data.size(); ++i) {
    const auto& topic_data = request.topic_data[i];
    auto& topic_answer = response.responses[i];
    topic_answer.name = topic_data.name;
    topic_answer.topic_id = topic_data.topic_id;
    topic_answer.partition_responses.resize(topic_data.partition_data.size());
    const bool by_id = context.version >= first_version_by_id;
    const metadata::Topic* topic = by_id ? image->find_topic(topic_data.topic_id) : image->find_topic(topic_data.name);
    const bool unknown_id = by_id && topic == nullptr;
    const auto access = unauthorized || unknown_id ? std::nullopt : gate.may<Operation::write, ResourceType::topic>(topic == nullptr ? topic_data.name : topic->name);
    for (size_t j = 0; j < topic_data.partition_data.size(); ++j) {
      const auto& data = topic_data.partition_data[j];
      auto& answer = topic_answer.partition_responses[j];
      answer.index = data.index;
      if (unauthorized) {
        answer_with(answer, ErrorCode::transactional_id_authorization_failed);
      } else if (unknown_id) {
        answer_with(answer, ErrorCode::unknown_topic_id);
      } else if (!access) {
        answer_with(answer, ErrorCode::topic_authorization_failed);
      } else if (topic == nullptr || topic->find(data.index) == nullptr) {
        answer_with(answer, ErrorCode::unknown_topic_or_partition);
      } else if (!known_acks) {
        answer_with(answer, ErrorCode::invalid_required_acks);
      } else if (is_internal_topic(topic->name) && !terms.internal_allowed) {
        answer_with(answer, ErrorCode::invalid_topic_exception, fmt::format("{} is written by the broker alone", topic->name));
      } else {
        const auto home = static_cast<size_t>(context.broker.home_of(topic->id, data.index).shard.index());
        is_home[home] = true;
        parts.push_back({.access = *access, .data = &data, .answer = &answer, .topic_id = topic->id, .home = home});
      }
    }
  }

  if (parts.size() == 1 && parts.front().home == static_cast<size_t>(context.shard.shard.index()))
    co_await append_part(context.shard, parts.front(), terms);
  else
    co_await gather(context.broker, [&](size_t shard) { return is_home[shard]; },
                    [&](BrokerShard& shard) { return append_on(shard, parts, terms); });

  if (request.acks == 0) {
    Reply nothing;
    for (const auto& topic : response.responses)
      for (const auto& answer : topic.partition_responses)
        if (answer.error_code != 0) nothing.closes = true;  // the only way to tell this client (as Kafka does)
    co_return nothing;
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
