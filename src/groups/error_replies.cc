#include "groups/error_replies.h"

#include <type_traits>

namespace moldau::groups {
namespace {

using namespace protocol;

Response refusal(const JoinGroupRequest&, int16_t version, int16_t code) {
  JoinGroupResponse response;
  response.error_code = code;
  if (version >= 7) response.protocol_name.reset();
  return response;
}
Response refusal(const SyncGroupRequest&, int16_t, int16_t code) {
  SyncGroupResponse response;
  response.error_code = code;
  return response;
}
Response refusal(const HeartbeatRequest&, int16_t, int16_t code) {
  HeartbeatResponse response;
  // A member need not know that its coordinator is still loading.
  if (code != static_cast<int16_t>(ErrorCode::coordinator_load_in_progress)) response.error_code = code;
  return response;
}
Response refusal(const LeaveGroupRequest&, int16_t, int16_t code) {
  LeaveGroupResponse response;
  response.error_code = code;
  return response;
}
Response refusal(const DescribeGroupsRequest& request, int16_t, int16_t code) {
  DescribeGroupsResponse response;
  for (const std::string& id : request.groups) {
    auto& group = response.groups.emplace_back();
    group.group_id = id;
    group.error_code = code;
  }
  return response;
}
Response refusal(const ListGroupsRequest&, int16_t, int16_t code) {
  ListGroupsResponse response;
  response.error_code = code;
  return response;
}
Response refusal(const DeleteGroupsRequest& request, int16_t, int16_t code) {
  DeleteGroupsResponse response;
  for (const std::string& id : request.groups_names) {
    auto& result = response.results.emplace_back();
    result.group_id = id;
    result.error_code = code;
  }
  return response;
}
Response refusal(const OffsetCommitRequest& request, int16_t, int16_t code) {
  OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      auto& one = answered.partitions.emplace_back();
      one.partition_index = partition.partition_index;
      one.error_code = code;
    }
  }
  return response;
}
Response refusal(const OffsetFetchGroup& request, int16_t version, int16_t code) {
  return refuse_offset_fetch(request.group, version, static_cast<ErrorCode>(code));
}
Response refusal(const OffsetDeleteRequest&, int16_t, int16_t code) {
  OffsetDeleteResponse response;
  response.error_code = code;
  return response;
}

}  // namespace

Response refuse(const Request& request, int16_t version, ErrorCode error) {
  return std::visit([&](const auto& one) { return refusal(one, version, static_cast<int16_t>(error)); }, request);
}

Response refuse(Response response, int16_t version, ErrorCode error) {
  const auto code = static_cast<int16_t>(error);
  if (auto* deleted = std::get_if<DeleteGroupsResponse>(&response)) {
    for (auto& result : deleted->results) result.error_code = code;
  } else if (auto* committed = std::get_if<OffsetCommitResponse>(&response)) {
    for (auto& topic : committed->topics) {
      for (auto& partition : topic.partitions) partition.error_code = code;
    }
  } else if (auto* fetched = std::get_if<OffsetFetchResponse::OffsetFetchResponseGroup>(&response)) {
    if (version >= 2) {
      fetched->topics.clear();
      fetched->error_code = code;
    } else {
      for (auto& topic : fetched->topics) {
        for (auto& partition : topic.partitions) {
          partition.error_code = code;
          partition.committed_offset = -1;
          partition.metadata = "";
        }
      }
    }
  } else {
    std::visit(
        [&](auto& one) {
          using Kind = std::remove_reference_t<decltype(one)>;
          if constexpr (requires { one.error_code; }) {
            one = Kind{};
            one.error_code = code;
          }
        },
        response);
  }
  return response;
}

ErrorCode storing_failed(ErrorCode error) {
  switch (error) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::request_timed_out: return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::kafka_storage_error: return ErrorCode::not_coordinator;
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
    case ErrorCode::invalid_fetch_size: return ErrorCode::unknown_server_error;
    default: return error;
  }
}

OffsetFetchResponse::OffsetFetchResponseGroup refuse_offset_fetch(const OffsetFetchRequest::OffsetFetchRequestGroup& group,
                                                                  int16_t version, ErrorCode error) {
  OffsetFetchResponse::OffsetFetchResponseGroup response;
  response.group_id = group.group_id;
  if (version >= 2) {
    response.error_code = static_cast<int16_t>(error);
    return response;
  }
  if (!group.topics) return response;
  for (const auto& topic : *group.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const int32_t index : topic.partition_indexes) {
      auto& partition = answered.partitions.emplace_back();
      partition.partition_index = index;
      partition.error_code = static_cast<int16_t>(error);
      partition.committed_offset = -1;
      partition.metadata = "";
    }
  }
  return response;
}

}  // namespace moldau::groups
