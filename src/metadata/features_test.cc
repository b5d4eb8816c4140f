#include "metadata/features.h"

#include <gtest/gtest.h>

namespace moldau::metadata {
namespace {

FeatureLevels levels(std::initializer_list<std::pair<const char*, int16_t>> list) {
  FeatureLevels all;
  for (const auto& [name, level] : list) all.insert_or_assign(name, level);
  return all;
}

TEST(Features, AFreshClustersDefaultsAreSupportedAndDependOnNothingMissing) {
  FeatureLevels fresh;
  for (const Feature& feature : supported_features()) {
    EXPECT_TRUE(feature.supported.contains(feature.default_level)) << feature.name;
    fresh.insert_or_assign(std::string(feature.name), feature.default_level);
  }
  EXPECT_FALSE(unsupported_features(fresh));
  for (const auto& [name, level] : fresh) EXPECT_FALSE(unmet_dependency(name, level, fresh)) << name;
}

TEST(Features, WhatIsNewerIsRefusedByNameWithAWayOut) {
  const auto newer = unsupported_features(levels({{"metadata.version", 31}, {"group.version", 1}, {"rocket.version", 2}}));
  ASSERT_TRUE(newer);
  EXPECT_NE(newer->find("metadata.version is finalized at 31"), std::string::npos) << *newer;
  EXPECT_NE(newer->find("rocket.version"), std::string::npos);
  EXPECT_EQ(newer->find("group.version"), std::string::npos);
  EXPECT_NE(newer->find("kafka-features downgrade"), std::string::npos);
}

TEST(Features, EligibleLeadersNeedAMetadataVersionThatHasThem) {
  EXPECT_TRUE(unmet_dependency(eligible_leader_replicas_feature, 1, levels({{"metadata.version", 22}})));
  EXPECT_FALSE(unmet_dependency(eligible_leader_replicas_feature, 1, levels({{"metadata.version", 23}})));
  EXPECT_FALSE(unmet_dependency(eligible_leader_replicas_feature, 0, levels({})));
}

TEST(Features, EachMetadataVersionUpToTheLatestIsKnown) {
  for (int16_t level = minimum_metadata_version; level <= latest_metadata_version; ++level)
    EXPECT_NE(find_metadata_version(level), nullptr) << level;
  EXPECT_EQ(find_metadata_version(6), nullptr);
  EXPECT_EQ(find_metadata_version(31), nullptr);
}

}  // namespace
}  // namespace moldau::metadata
