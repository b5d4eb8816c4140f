#include "client/groups.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "client/consumer_protocol.h"
#include "protocol/messages/consumer_group_describe_request.h"
#include "protocol/messages/consumer_group_describe_response.h"
#include "protocol/messages/delete_groups_request.h"
#include "protocol/messages/delete_groups_response.h"
#include "protocol/messages/describe_groups_request.h"
#include "protocol/messages/describe_groups_response.h"
#include "protocol/messages/list_groups_request.h"
#include "protocol/messages/list_groups_response.h"
#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"

namespace moldau::client {

using protocol::ErrorCode;

namespace {

// The versions before topic ids took the place of names: what an administrator names is a topic, not its
// incarnation.
constexpr int16_t last_version_with_names = 9;

// A group of the new protocol (KIP-848), which DescribeGroups does not know.
task<client_result<GroupDescription>> describe_consumer_group(Cluster& cluster, std::string group_id) {
  using Response = protocol::ConsumerGroupDescribeResponse;
  protocol::ConsumerGroupDescribeRequest request;
  request.group_ids = {group_id};
  MOLDAU_CO_TRY(auto reply,
                co_await cluster.call_coordinator<Response>(group_id, request, [](const Response& response) {
                  return response.groups.empty() ? ErrorCode::none
                                                 : error_code(response.groups.front().error_code);
                }));
  if (reply.message.groups.empty())
    co_return fail(server_error(ErrorCode::group_id_not_found, "group " + group_id));
  const auto& group = reply.message.groups.front();
  if (group.error_code != 0) co_return fail(server_error(error_code(group.error_code), "group " + group_id));
  GroupDescription description{
      .id = group_id, .state = group.group_state, .type = "consumer", .protocol = group.assignor_name};
  for (const auto& member : group.members) {
    GroupMember& listed = description.members.emplace_back(GroupMember{.id = member.member_id,
                                                                       .instance_id = member.instance_id,
                                                                       .client_id = member.client_id,
                                                                       .host = member.client_host});
    for (const auto& topic : member.assignment.topic_partitions) {
      for (const int32_t partition : topic.partitions)
        listed.assignment.push_back({topic.topic_name, partition});
    }
    std::ranges::sort(listed.assignment);
  }
  co_return description;
}

}  // namespace

task<client_result<std::vector<ListedGroup>>> list_groups(Cluster& cluster) {
  MOLDAU_CO_TRY(const auto metadata, co_await cluster.metadata(std::vector<std::string>{}));
  std::vector<ListedGroup> groups;
  for (const auto& broker : metadata.brokers) {
    MOLDAU_CO_TRY(const BrokerPtr connection, co_await cluster.broker(broker.node_id));
    MOLDAU_CO_TRY(auto reply,
                  co_await connection->call<protocol::ListGroupsResponse>(protocol::ListGroupsRequest{}));
    if (reply.message.error_code != 0) {
      co_return fail(server_error(error_code(reply.message.error_code),
                                  fmt::format("the groups at {}", connection->address())));
    }
    for (auto& group : reply.message.groups) {
      groups.push_back({.id = std::move(group.group_id),
                        .protocol_type = std::move(group.protocol_type),
                        .state = std::move(group.group_state),
                        .type = std::move(group.group_type)});
    }
  }
  std::ranges::sort(groups, {}, &ListedGroup::id);
  co_return groups;
}

task<client_result<GroupDescription>> describe_group(Cluster& cluster, std::string group_id) {
  using Response = protocol::DescribeGroupsResponse;
  protocol::DescribeGroupsRequest request;
  request.groups = {group_id};
  MOLDAU_CO_TRY(auto reply,
                co_await cluster.call_coordinator<Response>(group_id, request, [](const Response& response) {
                  return response.groups.empty() ? ErrorCode::none
                                                 : error_code(response.groups.front().error_code);
                }));
  if (reply.message.groups.empty())
    co_return fail(server_error(ErrorCode::group_id_not_found, "group " + group_id));
  const auto& group = reply.message.groups.front();
  const bool is_not_classic =
      error_code(group.error_code) == ErrorCode::group_id_not_found || group.group_state == "Dead";
  GroupDescription description;
  if (is_not_classic) {
    auto newer = co_await describe_consumer_group(cluster, group_id);
    if (!newer && newer.error().kind != Error::Kind::unsupported) co_return fail(std::move(newer).error());
    if (!newer) co_return fail(server_error(ErrorCode::group_id_not_found, "group " + group_id));
    description = std::move(*newer);
  } else {
    if (group.error_code != 0) {
      co_return fail(server_error(error_code(group.error_code), "group " + group_id,
                                  group.error_message ? *group.error_message : std::string_view{}));
    }
    description = {
        .id = group_id, .state = group.group_state, .type = "classic", .protocol = group.protocol_data};
    for (const auto& member : group.members) {
      description.members.push_back({.id = member.member_id,
                                     .instance_id = member.group_instance_id,
                                     .client_id = member.client_id,
                                     .host = member.client_host,
                                     .assignment = decode_assignment(member.member_assignment)});
    }
  }
  std::ranges::sort(description.members, {}, &GroupMember::id);
  MOLDAU_CO_TRY(const BrokerPtr coordinator, co_await cluster.group_coordinator(group_id));
  description.coordinator = coordinator->address();
  co_return description;
}

task<client_result<std::vector<CommittedOffset>>> committed_offsets(Cluster& cluster, std::string group_id) {
  using Response = protocol::OffsetFetchResponse;
  protocol::OffsetFetchRequest request;
  request.group_id = group_id;
  request.topics.reset();
  auto& wanted = request.groups.emplace_back();
  wanted.group_id = group_id;
  wanted.topics.reset();
  const auto code_of = [](const Response& response) {
    return error_code(response.groups.empty() ? response.error_code : response.groups.front().error_code);
  };
  MOLDAU_CO_TRY(auto reply, co_await cluster.call_coordinator<Response>(group_id, request, code_of,
                                                                        last_version_with_names));
  if (const ErrorCode code = code_of(reply.message); code != ErrorCode::none)
    co_return fail(server_error(code, "offsets of group " + group_id));
  std::vector<CommittedOffset> offsets;
  const auto add = [&offsets](const auto& topics) {
    for (const auto& topic : topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code != 0 || partition.committed_offset < 0) continue;
        offsets.push_back({.partition = {topic.name, partition.partition_index},
                           .offset = partition.committed_offset,
                           .leader_epoch = partition.committed_leader_epoch,
                           .metadata = partition.metadata.value_or("")});
      }
    }
  };
  if (reply.version >= 8 && !reply.message.groups.empty())
    add(reply.message.groups.front().topics);
  else
    add(reply.message.topics);
  std::ranges::sort(offsets, {}, &CommittedOffset::partition);
  co_return offsets;
}

task<client_result<>> commit_offsets(Cluster& cluster, std::string group_id, std::vector<CommittedOffset> offsets,
                                     CommittingMember member) {
  using Response = protocol::OffsetCommitResponse;
  protocol::OffsetCommitRequest request;
  request.group_id = group_id;
  request.generation_id_or_member_epoch = member.generation;
  request.member_id = std::move(member.member_id);
  request.group_instance_id = std::move(member.instance_id);
  std::ranges::sort(offsets, {}, &CommittedOffset::partition);
  for (const CommittedOffset& offset : offsets) {
    if (request.topics.empty() || request.topics.back().name != offset.partition.topic)
      request.topics.emplace_back().name = offset.partition.topic;
    auto& wanted = request.topics.back().partitions.emplace_back();
    wanted.partition_index = offset.partition.partition;
    wanted.committed_offset = offset.offset;
    wanted.committed_leader_epoch = offset.leader_epoch;
    wanted.committed_metadata = offset.metadata;
  }
  const auto code_of = [](const Response& response) {
    for (const auto& topic : response.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code != 0) return error_code(partition.error_code);
      }
    }
    return ErrorCode::none;
  };
  MOLDAU_CO_TRY(auto reply, co_await cluster.call_coordinator<Response>(group_id, request, code_of,
                                                                        last_version_with_names));
  for (const auto& topic : reply.message.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code == 0) continue;
      co_return fail(server_error(error_code(partition.error_code),
                                  fmt::format("cannot set the offset of group {} for {}-{}", group_id,
                                              topic.name, partition.partition_index)));
    }
  }
  co_return client_result<>{};
}

task<client_result<>> delete_group(Cluster& cluster, std::string group_id) {
  using Response = protocol::DeleteGroupsResponse;
  protocol::DeleteGroupsRequest request;
  request.groups_names = {group_id};
  const auto code_of = [](const Response& response) {
    return response.results.empty() ? ErrorCode::none : error_code(response.results.front().error_code);
  };
  MOLDAU_CO_TRY(auto reply, co_await cluster.call_coordinator<Response>(group_id, request, code_of));
  if (const ErrorCode code = code_of(reply.message); code != ErrorCode::none)
    co_return fail(server_error(code, fmt::format("cannot delete group {}", group_id)));
  co_return client_result<>{};
}

}  // namespace moldau::client
