#include "groups/coordinator_placement.h"

#include <limits>

#include "base/assert.h"
#include "groups/java_text.h"

namespace moldau::groups {

using protocol::ErrorCode;

int32_t coordinator_partition(std::string_view id, int32_t partitions) {
  MOLDAU_ASSERT(partitions > 0);
  const int32_t hash = java_hash(id);
  if (hash == std::numeric_limits<int32_t>::min()) return 0;
  return (hash < 0 ? -hash : hash) % partitions;
}

protocol::FindCoordinatorResponse find_coordinator(
    const protocol::FindCoordinatorRequest& request, int16_t version,
    const std::function<CoordinatorPlace(CoordinatorKeyType, const std::string& key)>& locate) {
  const auto place_of = [&](const std::string& key) -> CoordinatorPlace {
    const bool known = request.key_type >= 0 && request.key_type <= 2;
    const auto type = static_cast<CoordinatorKeyType>(request.key_type);
    if (!known || (type == CoordinatorKeyType::share && version < 6)) return {.error = ErrorCode::invalid_request};
    return locate(type, key);
  };
  protocol::FindCoordinatorResponse response;
  if (version < 4) {
    CoordinatorPlace place = place_of(request.key);
    response.error_code = static_cast<int16_t>(place.error);
    response.error_message = place.message ? *place.message : std::string(protocol::error_message(place.error));
    response.node_id = place.node_id;
    response.host = std::move(place.host);
    response.port = place.port;
    return response;
  }
  response.coordinators.reserve(request.coordinator_keys.size());
  for (const std::string& key : request.coordinator_keys) {
    CoordinatorPlace place = place_of(key);
    auto& coordinator = response.coordinators.emplace_back();
    coordinator.key = key;
    coordinator.node_id = place.node_id;
    coordinator.host = std::move(place.host);
    coordinator.port = place.port;
    coordinator.error_code = static_cast<int16_t>(place.error);
    // Kafka leaves the message empty from version 4 on; ours is empty unless there is something to say.
    coordinator.error_message = place.message.value_or("");
  }
  return response;
}

CoordinatorPlace no_transaction_coordinator() {
  return {.error = ErrorCode::unsupported_version,
          .message = "This node has no transaction coordinator yet: produce without transactional.id."};
}

}  // namespace moldau::groups
