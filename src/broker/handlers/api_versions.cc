// ApiVersions (KIP-35, KIP-511): which versions of which APIs this listener serves. An API that is not built is absent.
#include "broker/api_handlers.h"
#include "broker/broker_shard.h"
#include "broker/reply.h"
#include "metadata/features.h"
#include "protocol/messages/api_versions_request.h"
#include "protocol/messages/api_versions_response.h"

namespace moldau::broker {

using protocol::ApiVersionsResponse;
using protocol::ErrorCode;
using runtime::task;

// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`
static bool is_valid_software_text(std::string_view text) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; });
}

static void add_served_apis(ApiVersionsResponse& response, ListenerRole role) {
  for (const protocol::ApiInfo& api : protocol::api_table()) {
    if (find_handler(static_cast<int16_t>(api.key), role).handle == nullptr) continue;
    auto& entry = response.api_keys.emplace_back();
    entry.api_key = static_cast<int16_t>(api.key);
    entry.min_version = offered_versions(api, role).min;
    entry.max_version = offered_versions(api, role).max;
  }
}

static void add_features(ApiVersionsResponse& response, const metadata::MetadataImage& image, int16_t version) {
  for (const metadata::Feature& feature : metadata::supported_features()) {
    // Versions below 4 cannot carry a lowest level of 0 (KIP-584).
    if (version < 4 && feature.supported.min < 1) continue;
    auto& entry = response.supported_features.emplace_back();
    entry.name = feature.name;
    entry.min_version = feature.supported.min;
    entry.max_version = feature.supported.max;
  }
  response.finalized_features_epoch = image.offset.value();
  const auto add_finalized = [&response](std::string_view name, int16_t level) {
    if (level == 0) return;
    auto& entry = response.finalized_features.emplace_back();
    entry.name = name;
    entry.max_version_level = entry.min_version_level = level;
  };
  for (const auto& [name, level] : image.features) add_finalized(name, level);
  add_finalized(metadata::kraft_version_feature, image.kraft_version);
}

task<Reply> handle_api_versions(RequestContext& context, Gate<ApiKey::api_versions> gate) {
  gate.is_open();
  ApiVersionsResponse response;
  const protocol::VersionRange versions = find_handler(context.api_key, context.connection.role).versions;
  if (!versions.contains(context.version)) {
    response.error_code = static_cast<int16_t>(ErrorCode::unsupported_version);
    auto& entry = response.api_keys.emplace_back();
    entry.api_key = context.api_key;
    entry.min_version = versions.min;
    entry.max_version = versions.max;
    context.version = 0;  // the one form that every client can read
    co_return make_reply(context, response);
  }
  MOLDAU_DECODE(ApiVersionsRequest, request, context);
  if (context.version >= 3) {
    if (!is_valid_software_text(request.client_software_name) || !is_valid_software_text(request.client_software_version)) {
      response.error_code = static_cast<int16_t>(ErrorCode::invalid_request);
      co_return make_reply(context, response);
    }
    context.connection.software_name = request.client_software_name;
    context.connection.software_version = request.client_software_version;
  }
  add_served_apis(response, context.connection.role);
  if (context.version >= 3) add_features(response, *context.shard.image, context.version);
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
