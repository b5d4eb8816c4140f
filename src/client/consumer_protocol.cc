#include "client/consumer_protocol.h"

#include <algorithm>
#include <optional>

#include "protocol/messages/consumer_protocol_assignment.h"
#include "protocol/messages/consumer_protocol_subscription.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace moldau::client {

namespace {

template <class Message>
Bytes encode_versioned(const Message& message, int16_t version) {
  protocol::Writer writer;
  writer.int16(version);
  protocol::encode(writer, message, version);
  return writer.take();
}

// A newer version than ours is read as ours: fields are only ever added at the end.
template <class Message>
std::optional<Message> decode_versioned(ByteView bytes) {
  protocol::Reader reader(bytes);
  const int16_t version = std::min(reader.int16(), Message::valid_versions.max);
  if (reader.failed() || version < 0) return std::nullopt;
  auto message = protocol::decode<Message>(reader, version);
  if (!message) return std::nullopt;
  return std::move(*message);
}

}  // namespace

Bytes encode_subscription(const std::vector<std::string>& topics) {
  protocol::ConsumerProtocolSubscription subscription;
  subscription.topics.assign(topics.begin(), topics.end());
  return encode_versioned(subscription, protocol::ConsumerProtocolSubscription::valid_versions.max);
}

std::vector<std::string> decode_subscription(ByteView bytes) {
  const auto subscription = decode_versioned<protocol::ConsumerProtocolSubscription>(bytes);
  if (!subscription) return {};
  return {subscription->topics.begin(), subscription->topics.end()};
}

Bytes encode_assignment(const std::vector<TopicPartition>& partitions) {
  protocol::ConsumerProtocolAssignment assignment;
  for (const TopicPartition& one : partitions) {
    auto& topics = assignment.assigned_partitions;
    if (topics.empty() || topics.back().topic != one.topic) topics.emplace_back().topic = one.topic;
    topics.back().partitions.push_back(one.partition);
  }
  return encode_versioned(assignment, protocol::ConsumerProtocolAssignment::valid_versions.max);
}

std::vector<TopicPartition> decode_assignment(ByteView bytes) {
  std::vector<TopicPartition> partitions;
  const auto assignment = decode_versioned<protocol::ConsumerProtocolAssignment>(bytes);
  if (!assignment) return partitions;
  for (const auto& topic : assignment->assigned_partitions)
    for (const int32_t partition : topic.partitions) partitions.push_back({topic.topic, partition});
  std::ranges::sort(partitions);
  return partitions;
}

}  // namespace moldau::client
