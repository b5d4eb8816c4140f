// IncrementalAlterConfigs and AlterConfigs: from a request and an image to ConfigRecords and the answer. Pure
// functions; only replaying the records changes anything. Access is checked by the caller, resource by
// resource.
//
// Kafka checks a broker's settings on that broker and again in the controller; here both happen in one place,
// as broker and controller are one node.
#pragma once

#include <optional>
#include <string>

#include "metadata/api_error.h"
#include "metadata/config/describe_configs.h"
#include "metadata/metadata_record.h"
#include "protocol/messages/alter_configs_request.h"
#include "protocol/messages/alter_configs_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"

namespace moldau::metadata {

template <class Response>
struct AlteredConfigs {
  MetadataRecords records;  // ConfigRecords; none if the request only validates
  Response response;
  std::optional<std::string> log_level;  // what the logger "root" is to be set to; nothing of it is stored
};

// KIP-339. A resource whose change is refused changes nothing, the others go through.
[[nodiscard]] AlteredConfigs<protocol::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const protocol::IncrementalAlterConfigsRequest& request, const ConfigContext& context,
    const MetadataImage& image);

// KIP-133. The settings of a request replace all that a resource has.
[[nodiscard]] AlteredConfigs<protocol::AlterConfigsResponse> alter_configs(
    const protocol::AlterConfigsRequest& request, const ConfigContext& context, const MetadataImage& image);

// Why a topic cannot have these overrides; null if it can.
[[nodiscard]] std::optional<ApiError> check_new_topic(const ConfigMap& overrides,
                                                      const ConfigContext& context,
                                                      const MetadataImage& image);

}  // namespace moldau::metadata
