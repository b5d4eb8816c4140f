#include "storage/compaction/segment_groups.h"

#include <limits>

namespace moldau::storage {

std::vector<size_t> group_segments(std::span<const SegmentMeasure> segments, const GroupLimits& limits) {
  std::vector<size_t> groups;
  size_t at = 0;
  while (at < segments.size()) {
    const size_t first = at;
    SegmentMeasure sum = segments[at++];
    for (; at < segments.size(); ++at) {
      const SegmentMeasure& next = segments[at];
      if (sum.size_bytes + next.size_bytes > limits.segment_bytes) break;
      if (sum.offset_index_bytes + next.offset_index_bytes > limits.index_bytes) break;
      if (sum.time_index_bytes + next.time_index_bytes > limits.index_bytes) break;
      // Offsets in the indexes are 32 bits from the first base. An empty segment has none that could be too far.
      const Offset end = at + 1 < segments.size() ? segments[at + 1].base_offset : limits.first_uncleanable;
      const bool reaches_too_far = end - 1 - sum.base_offset > std::numeric_limits<int32_t>::max();
      if (next.size_bytes > 0 && reaches_too_far) break;
      sum.size_bytes += next.size_bytes;
      sum.offset_index_bytes += next.offset_index_bytes;
      sum.time_index_bytes += next.time_index_bytes;
    }
    groups.push_back(at - first);
  }
  return groups;
}

}  // namespace moldau::storage
