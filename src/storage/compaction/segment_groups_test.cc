#include "storage/compaction/segment_groups.h"

#include <gtest/gtest.h>

namespace moldau::storage {
namespace {

using Groups = std::vector<size_t>;

SegmentMeasure segment(int64_t base, uint64_t size, uint64_t offset_index = 8, uint64_t time_index = 12) {
  return {Offset(base), size, offset_index, time_index};
}

TEST(SegmentGroups, FillSegmentsUpToTheUsualSize) {
  const std::vector<SegmentMeasure> segments{segment(0, 40), segment(10, 60), segment(20, 1), segment(30, 200), segment(40, 50)};
  EXPECT_EQ(group_segments(segments, {100, 1000, Offset(50)}), (Groups{2, 1, 1, 1}));
  EXPECT_EQ(group_segments(segments, {101, 1000, Offset(50)}), (Groups{3, 1, 1}));
  EXPECT_EQ(group_segments({}, {100, 1000, Offset(0)}), Groups{});
}

TEST(SegmentGroups, StopWhereAnIndexWouldBeTooLong) {
  const std::vector<SegmentMeasure> by_offset{segment(0, 1, 16), segment(1, 1, 16), segment(2, 1, 16)};
  EXPECT_EQ(group_segments(by_offset, {1000, 40, Offset(3)}), (Groups{2, 1}));
  const std::vector<SegmentMeasure> by_time{segment(0, 1, 8, 24), segment(1, 1, 8, 24), segment(2, 1, 8, 24)};
  EXPECT_EQ(group_segments(by_time, {1000, 50, Offset(3)}), (Groups{2, 1}));
}

// An index entry is 32 bits of offset from the group's base.
TEST(SegmentGroups, StopWhereOffsetsAreTooFarApart) {
  constexpr int64_t most = INT32_MAX;
  const std::vector<SegmentMeasure> segments{segment(0, 1), segment(most - 5, 1), segment(most + 1, 1)};
  EXPECT_EQ(group_segments(segments, {1000, 1000, Offset(most + 2)}), (Groups{2, 1}));
  const std::vector<SegmentMeasure> last_fits{segment(0, 1), segment(most - 5, 1)};
  EXPECT_EQ(group_segments(last_fits, {1000, 1000, Offset(most + 1)}), Groups{2});
  EXPECT_EQ(group_segments(last_fits, {1000, 1000, Offset(most + 2)}), (Groups{1, 1}));
}

// Or an empty segment would stay behind for each 2^31 offsets.
TEST(SegmentGroups, TakeEmptySegmentsHoweverFar) {
  const std::vector<SegmentMeasure> segments{segment(0, 0), segment(5'000'000'000, 0), segment(9'000'000'000, 7)};
  EXPECT_EQ(group_segments(segments, {1000, 1000, Offset(9'000'000'010)}), (Groups{2, 1}));
}

}  // namespace
}  // namespace moldau::storage
