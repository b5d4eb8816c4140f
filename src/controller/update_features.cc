#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "controller/controller.h"
#include "controller/min_insync_rules.h"

namespace moldau::controller {

using metadata::ApiError;
using metadata::FeatureLevels;
using metadata::MetadataImage;
using metadata::MetadataRecords;
using protocol::ErrorCode;
using protocol::UpdateFeaturesRequest;

namespace {

enum class UpgradeType : int8_t { unknown = 0, upgrade = 1, safe_downgrade = 2, unsafe_downgrade = 3 };

// Version 0 of the request knew only whether a downgrade is allowed.
UpgradeType upgrade_type_of(const UpdateFeaturesRequest::FeatureUpdateKey& update, int16_t version) {
  if (version == 0) return update.allow_downgrade ? UpgradeType::safe_downgrade : UpgradeType::upgrade;
  if (update.upgrade_type < 1 || update.upgrade_type > 3) return UpgradeType::unknown;
  return static_cast<UpgradeType>(update.upgrade_type);
}

std::optional<std::string> reason_against(std::string_view who, int16_t level,
                                          const protocol::VersionRange* supported) {
  if (supported == nullptr || (supported->max == 0 && level != 0))
    return fmt::format("{} does not support this feature.", who);
  if (!supported->contains(level))
    return fmt::format("{} only supports versions {}-{}", who, supported->min, supported->max);
  return std::nullopt;
}

std::optional<std::string> reason_not_supported(const MetadataImage& image, const std::string& feature, int16_t level,
                                                int32_t node_id) {
  const metadata::Feature* known = metadata::find_feature(feature);
  if (auto reason = reason_against(fmt::format("Local controller {}", node_id), level,
                                   known == nullptr ? nullptr : &known->supported))
    return reason;
  const auto check = [&](std::string_view kind, int32_t id, const auto& features) {
    const auto found = features.find(feature);
    // Who does not name a feature has it switched off.
    if (found == features.end() && level == 0) return std::optional<std::string>();
    return reason_against(fmt::format("{} {}", kind, id), level, found == features.end() ? nullptr : &found->second);
  };
  for (const auto& [id, broker] : image.brokers)
    if (auto reason = check("Broker", id, broker->features)) return reason;
  for (const auto& [id, controller] : image.controllers)
    if (id != node_id)
      if (auto reason = check("Controller", id, controller->features)) return reason;
  return std::nullopt;
}

bool does_metadata_change_between(int16_t from, int16_t to) {
  for (int16_t level = from; level > to; --level) {
    const metadata::MetadataVersion* version = metadata::find_metadata_version(level);
    if (version != nullptr && version->did_metadata_change) return true;
  }
  return false;
}

struct Update {
  std::string feature;
  int16_t level;
  UpgradeType type;
};

std::optional<ApiError> check_update(const MetadataImage& image, const Update& update, const FeatureLevels& proposed,
                                     int32_t node_id) {
  const auto invalid = [&](std::string_view why) {
    return ApiError{ErrorCode::invalid_update_version,
                    fmt::format("Invalid update version {} for feature {}. {}", update.level, update.feature, why)};
  };
  if (update.type == UpgradeType::unknown) return invalid("The controller does not support the given upgrade type.");
  if (update.level < 0) return invalid("A feature version cannot be less than 0.");
  if (auto reason = reason_not_supported(image, update.feature, update.level, node_id)) return invalid(*reason);

  const int16_t current = image.feature_level(update.feature);
  if (update.feature == metadata::kraft_version_feature) {
    if (update.level < current) return invalid("Can't downgrade the version of this feature.");
    if (update.level > current) return invalid("This release cannot change it: format with kafka-storage --standalone.");
    return std::nullopt;
  }
  if (update.level < current && update.type == UpgradeType::upgrade)
    return invalid("Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe "
                   "downgrade.");
  if (update.level > current && update.type != UpgradeType::upgrade) return invalid("Can't downgrade to a newer version.");

  if (update.feature == metadata::metadata_version_feature && does_metadata_change_between(current, update.level)) {
    const auto refused = [&](std::string_view why) {
      return ApiError{ErrorCode::invalid_update_version,
                      fmt::format("Unsupported metadata.version downgrade from {} to {}. {}", current, update.level, why)};
    };
    return update.type == UpgradeType::unsafe_downgrade
               ? refused("Unsafe metadata downgrade is not supported in this version.")
               : refused("Refusing to perform the requested downgrade because it might delete metadata information.");
  }
  for (const auto& [feature, level] : proposed)
    if (const auto unmet = metadata::unmet_dependency(feature, level, proposed)) return invalid(*unmet);
  return std::nullopt;
}

}  // namespace

Answer<protocol::UpdateFeaturesResponse> Controller::handle(const UpdateFeaturesRequest& request,
                                                            const RequestContext& context) {
  Answer<protocol::UpdateFeaturesResponse> answer;
  const MetadataImage& now = *image();
  answer.response.error_message = std::nullopt;

  std::vector<Update> updates;
  FeatureLevels proposed = now.features;
  for (const auto& one : request.feature_updates) {
    updates.push_back({one.feature, one.max_version_level, upgrade_type_of(one, context.version)});
    if (one.feature == metadata::kraft_version_feature) continue;
    if (one.max_version_level > 0) {
      proposed.insert_or_assign(one.feature, one.max_version_level);
    } else {
      proposed.erase(one.feature);
    }
  }

  for (const Update& update : updates) {
    if (const auto error = check_update(now, update, proposed, options_.node_id)) {
      answer.records.clear();
      answer.response.error_code = static_cast<int16_t>(error->code);
      answer.response.error_message =
          "The update failed for all features since the following feature had an error: " + error->message;
      answer.response.results.clear();
      return answer;
    }
    if (context.version <= 1) answer.response.results.push_back({update.feature, 0, std::nullopt, {}});
    if (update.level == now.feature_level(update.feature)) continue;
    protocol::FeatureLevelRecord record;
    record.name = update.feature;
    record.feature_level = update.level;
    answer.records.push_back({std::move(record), 0});
    const bool sets_elr = update.feature == metadata::eligible_leader_replicas_feature && update.level > 0;
    if (sets_elr && !now.find_configs(metadata::ResourceType::broker, "").contains("min.insync.replicas"))
      answer.records.push_back(cluster_min_insync_record(options_.default_min_insync_replicas));
  }
  if (request.validate_only) answer.records.clear();
  return answer;
}

}  // namespace moldau::controller
