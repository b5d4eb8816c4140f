#include "metadata/features.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace moldau::metadata {

namespace {

constexpr std::array<Feature, 7> features{{
    {metadata_version_feature, {minimum_metadata_version, latest_metadata_version}, latest_metadata_version},
    {eligible_leader_replicas_feature, {0, 1}, 1},
    {"group.version", {0, 1}, 1},
    {"share.version", {0, 1}, 1},
    {"streams.version", {0, 1}, 1},
    {"transaction.version", {0, 2}, 2},
    {kraft_version_feature, {0, 1}, 1},
}};

constexpr std::array<MetadataVersion, 24> versions{{
    {7, "3.3-IV3", true, 1, 0},   {8, "3.4-IV0", true, 2, 0},   {9, "3.5-IV0", false, 2, 0},
    {10, "3.5-IV1", false, 2, 0}, {11, "3.5-IV2", true, 2, 0},  {12, "3.6-IV0", false, 2, 0},
    {13, "3.6-IV1", true, 2, 0},  {14, "3.6-IV2", true, 2, 0},  {15, "3.7-IV0", true, 2, 0},
    {16, "3.7-IV1", false, 2, 0}, {17, "3.7-IV2", true, 3, 1},  {18, "3.7-IV3", false, 3, 1},
    {19, "3.7-IV4", false, 3, 1}, {20, "3.8-IV0", false, 3, 1}, {21, "3.9-IV0", false, 3, 1},
    {22, "4.0-IV0", false, 3, 1}, {23, "4.0-IV1", true, 3, 2},  {24, "4.0-IV2", false, 3, 2},
    {25, "4.0-IV3", false, 3, 2}, {26, "4.1-IV0", false, 3, 2}, {27, "4.1-IV1", false, 3, 2},
    {28, "4.2-IV0", false, 3, 2}, {29, "4.2-IV1", false, 3, 2}, {30, "4.3-IV0", true, 4, 2},
}};

struct Dependency {
  std::string_view feature;
  int16_t level;
  std::string_view needs;
  int16_t needed_level;
};
constexpr std::array<Dependency, 1> dependencies{{
    {eligible_leader_replicas_feature, 1, metadata_version_feature, 23},
}};

}  // namespace

std::span<const Feature> supported_features() { return features; }

const Feature* find_feature(std::string_view name) {
  const auto* found = std::ranges::find(features, name, &Feature::name);
  return found == features.end() ? nullptr : found;
}

const MetadataVersion* find_metadata_version(int16_t level) {
  const auto* found = std::ranges::find(versions, level, &MetadataVersion::level);
  return found == versions.end() ? nullptr : found;
}

std::optional<std::string> unsupported_features(const FeatureLevels& finalized) {
  std::string reasons;
  for (const auto& [name, level] : finalized) {
    const Feature* feature = find_feature(name);
    if (feature != nullptr && feature->supported.contains(level)) continue;
    if (!reasons.empty()) reasons += "; ";
    if (feature == nullptr) {
      reasons += fmt::format("{} is finalized at {}, but unknown to this release", name, level);
    } else {
      reasons += fmt::format("{} is finalized at {}, but this release supports {} to {}", name, level,
                             feature->supported.min, feature->supported.max);
    }
  }
  if (reasons.empty()) return std::nullopt;
  return reasons + ". Start the Kafka that wrote the directory, take the feature down there (kafka-features downgrade) and "
                   "stop it, or use a newer Moldau";
}

std::optional<std::string> unmet_dependency(std::string_view feature, int16_t level, const FeatureLevels& others) {
  for (const Dependency& one : dependencies) {
    if (one.feature != feature || one.level != level) continue;
    const int16_t* has = others.find(one.needs);
    if (has == nullptr || *has < one.needed_level)
      return fmt::format("{} could not be set to {} because it depends on {} level {}", feature, level, one.needs,
                         one.needed_level);
  }
  return std::nullopt;
}

}  // namespace moldau::metadata
