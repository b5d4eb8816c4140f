// Which partition of an internal topic coordinates an id, and how FindCoordinator answers: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error_code.h"
#include "protocol/messages/find_coordinator_request.h"
#include "protocol/messages/find_coordinator_response.h"

namespace moldau::groups {

enum class CoordinatorKeyType : int8_t { group = 0, transaction = 1, share = 2 };

// The partition, of `partitions` > 0, that coordinates this group id or transactional id: Java's hash, its sign dropped.
[[nodiscard]] int32_t coordinator_partition(std::string_view id, int32_t partitions);

// What FindCoordinator says of one key.
struct CoordinatorPlace {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  int32_t node_id = -1;
  std::string host;
  int32_t port = -1;
  std::optional<std::string> message;  // in place of the error's own text
};

// Answers the request in the shape of its version; `locate` is asked once for each key of a known type. Unknown types
// and share keys before version 6 get INVALID_REQUEST.
[[nodiscard]] protocol::FindCoordinatorResponse find_coordinator(
    const protocol::FindCoordinatorRequest& request, int16_t version,
    const std::function<CoordinatorPlace(CoordinatorKeyType, const std::string& key)>& locate);

// For transactional ids while there is no transaction coordinator: an error that clients do not retry, with the reason.
[[nodiscard]] CoordinatorPlace no_transaction_coordinator();

}  // namespace moldau::groups
