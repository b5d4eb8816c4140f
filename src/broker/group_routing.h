// Finds the coordinator of a group, on whichever shard it lives, and asks it.
#pragma once

#include <span>
#include <string>

#include "broker/broker.h"
#include "broker/request.h"
#include "groups/coordinator_types.h"

namespace moldau::broker {

inline constexpr std::string_view offsets_topic_name = "__consumer_offsets";

// Asks the coordinator of `group_id`. NOT_COORDINATOR while the topic of offsets, or the partition's load, is not there.
runtime::task<result<groups::Response, protocol::ErrorCode>> ask_coordinator(const RequestContext& context,
                                                                             std::string group_id, groups::Request request);

// Asks each coordinator of this node the same; the responses stand in the order of the partitions.
runtime::task<std::vector<groups::Response>> ask_all_coordinators(const RequestContext& context, groups::Request request);

// The partition of __consumer_offsets that coordinates a group; -1 while there is no such topic.
[[nodiscard]] int32_t coordinator_partition_of(const metadata::MetadataImage& image, std::string_view group_id);

// What a group's operations are without an authorizer, as bits by AclOperation.
inline constexpr int32_t all_group_operations = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

}  // namespace moldau::broker
