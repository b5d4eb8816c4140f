// Kafka's numbers, each a type of its own. Generated messages carry plain integers; everything behind the handlers
// carries these.
#pragma once

#include <cstdint>

#include "base/named_type.h"

namespace moldau {

using Offset = NamedNumber<int64_t, struct OffsetTag>;              // of a record in a partition; -1: none
using LeaderEpoch = NamedNumber<int32_t, struct LeaderEpochTag>;    // -1: none
using ProducerId = NamedNumber<int64_t, struct ProducerIdTag>;      // -1: none
using ProducerEpoch = NamedNumber<int16_t, struct ProducerEpochTag>;// -1: none
using NodeId = NamedNumber<int32_t, struct NodeIdTag>;              // of a broker or controller
using PartitionIndex = NamedNumber<int32_t, struct PartitionIndexTag>;

inline constexpr Offset no_offset{-1};
inline constexpr LeaderEpoch no_leader_epoch{-1};
inline constexpr ProducerId no_producer_id{-1};
inline constexpr ProducerEpoch no_producer_epoch{-1};

}  // namespace moldau
