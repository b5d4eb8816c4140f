// Which neighbouring segments a round of compaction writes into one: as many as still make a segment of the usual size.
// Pure numbers. Kafka: Cleaner.groupSegmentsBySize.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"

namespace moldau::storage {

struct SegmentMeasure {
  Offset base_offset;
  uint64_t size_bytes = 0;
  uint64_t offset_index_bytes = 0;
  uint64_t time_index_bytes = 0;
};

struct GroupLimits {
  uint64_t segment_bytes = 0;
  uint64_t index_bytes = 0;
  Offset first_uncleanable;  // nothing of the last segment reaches it
};

// The number of segments in each group; `segments` are in order.
[[nodiscard]] std::vector<size_t> group_segments(std::span<const SegmentMeasure> segments, const GroupLimits& limits);

}  // namespace moldau::storage
