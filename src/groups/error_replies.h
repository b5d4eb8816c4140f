// A whole request refused: the response in the shape of its API and version, with the error where that API puts it.
#pragma once

#include "groups/coordinator_types.h"

namespace moldau::groups {

[[nodiscard]] Response refuse(const Request& request, int16_t version, ErrorCode error);
// The answer that was to be given, turned into a refusal because its records could not be stored.
[[nodiscard]] Response refuse(Response response, int16_t version, ErrorCode error);

// What clients are told when records could not be stored: they know the coordinator's errors, not the log's.
[[nodiscard]] ErrorCode storing_failed(ErrorCode error);

// From version 2 on an error stands beside the group, before that at every partition.
[[nodiscard]] protocol::OffsetFetchResponse::OffsetFetchResponseGroup refuse_offset_fetch(
    const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& group, int16_t version, ErrorCode error);

}  // namespace moldau::groups
