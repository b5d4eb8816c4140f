#include "metadata/finalized_levels.h"

#include <gtest/gtest.h>

namespace moldau::metadata {
namespace {

TEST(FinalizedLevels, WhatABootstrapWouldFinalizeIsKnownBeforeItIsWritten) {
  MetadataRecords records(3);
  const std::pair<const char*, int16_t> wanted[] = {{"metadata.version", 31}, {"group.version", 1}, {"share.version", 0}};
  for (size_t i = 0; i < records.size(); ++i) {
    protocol::FeatureLevelRecord record;
    record.name = wanted[i].first;
    record.feature_level = wanted[i].second;
    records[i].message = record;
  }
  const FeatureLevels levels = finalized_by(records);
  EXPECT_EQ(levels.size(), 2U);
  EXPECT_TRUE(unsupported_features(levels));
}

}  // namespace
}  // namespace moldau::metadata
