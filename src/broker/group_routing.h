// Finds the coordinator of a group, on whichever shard it lives, and asks it.
#pragma once

#include <span>
#include <string>

#include "broker/broker.h"
#include "broker/request.h"
#include "groups/coordinator_types.h"
#include "security/gate.h"

namespace moldau::broker {

inline constexpr std::string_view offsets_topic_name = "__consumer_offsets";

// Asks the coordinator of the group that `access` names. NOT_COORDINATOR while the topic of offsets, or the partition's
// load, is not there.
runtime::task<result<groups::Response, protocol::ErrorCode>> ask_coordinator(const RequestContext& context,
                                                                             security::Authorized access,
                                                                             groups::Request request);

// Asks each coordinator of this node the same, for a caller who then sees no more than he may; the responses stand in the order of the partitions.
runtime::task<std::vector<groups::Response>> ask_all_coordinators(const RequestContext& context, groups::Request request);

// The partition of __consumer_offsets that coordinates a group; -1 while there is no such topic.
[[nodiscard]] int32_t coordinator_partition_of(const metadata::MetadataImage& image, std::string_view group_id);

}  // namespace moldau::broker
