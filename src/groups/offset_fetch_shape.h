// OffsetFetch asks for one group up to version 7 and for many from 8 on; these two give each version the same shape.
#pragma once

#include <vector>

#include "groups/coordinator_types.h"

namespace moldau::groups {

// The groups that a request asks for, to be sent each to its own coordinator shard.
[[nodiscard]] std::vector<OffsetFetchGroup> offset_fetch_groups(const protocol::OffsetFetchRequest& request,
                                                                int16_t version);
// Their answers, in the order of the groups: exactly one of them up to version 7.
[[nodiscard]] protocol::OffsetFetchResponse offset_fetch_response(
    std::vector<protocol::OffsetFetchResponse::OffsetFetchResponseGroup> groups, int16_t version);

}  // namespace moldau::groups
