// What consumers put into the opaque bytes of the classic group protocol: their subscription on joining, and the
// partitions that the leader gives each of them. A version, then a message (ConsumerProtocolSubscription, -Assignment).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "client/offsets.h"

namespace moldau::client {

[[nodiscard]] Bytes encode_subscription(const std::vector<std::string>& topics);
// Nothing where the bytes are another protocol's.
[[nodiscard]] std::vector<std::string> decode_subscription(ByteView bytes);
// `partitions` stand together by topic.
[[nodiscard]] Bytes encode_assignment(const std::vector<TopicPartition>& partitions);
// Sorted; nothing where the bytes are another protocol's.
[[nodiscard]] std::vector<TopicPartition> decode_assignment(ByteView bytes);

}  // namespace moldau::client
