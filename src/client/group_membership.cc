#include "client/group_membership.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "client/consumer_protocol.h"
#include "protocol/messages/heartbeat_request.h"
#include "protocol/messages/heartbeat_response.h"
#include "protocol/messages/join_group_request.h"
#include "protocol/messages/leave_group_request.h"
#include "protocol/messages/leave_group_response.h"
#include "protocol/messages/sync_group_request.h"
#include "protocol/messages/sync_group_response.h"

namespace moldau::client {

using protocol::ErrorCode;
using protocol::HeartbeatResponse;
using protocol::JoinGroupResponse;
using protocol::LeaveGroupResponse;
using protocol::SyncGroupResponse;

namespace {

constexpr const char* protocol_type = "consumer";
constexpr const char* assignor_name = "range";

template <class Response>
ErrorCode code_of(const Response& response) {
  return error_code(response.error_code);
}

// Since version 3 every member that leaves has a code of its own.
ErrorCode code_of_leaving(const LeaveGroupResponse& response) {
  if (response.error_code != 0 || response.members.empty()) return error_code(response.error_code);
  return error_code(response.members.front().error_code);
}

bool means_join_again(ErrorCode code) {
  return code == ErrorCode::rebalance_in_progress || code == ErrorCode::illegal_generation ||
         code == ErrorCode::unknown_member_id || code == ErrorCode::member_id_required;
}

}  // namespace

void GroupMembership::note(ErrorCode code) {
  has_joined_ = false;
  if (code == ErrorCode::unknown_member_id || code == ErrorCode::fenced_instance_id) member_id_.clear();
}

task<client_result<>> GroupMembership::join() {
  const int64_t deadline_us = cluster_.retry_deadline_us();
  has_joined_ = false;
  while (true) {
    auto joined = co_await join_once();
    if (joined) co_return joined;
    const Error& error = joined.error();
    const bool may_pass = error.kind != Error::Kind::server || means_join_again(error.code) || is_worth_retrying(error);
    if (!may_pass) co_return joined;
    // The id that a first join is told to use needs no pause.
    if (error.code == ErrorCode::member_id_required) continue;
    if (!co_await cluster_.back_off(deadline_us)) co_return joined;
  }
}

task<client_result<>> GroupMembership::join_once() {
  protocol::JoinGroupRequest request;
  request.group_id = options_.group_id;
  request.session_timeout_ms = options_.session_timeout_ms;
  request.rebalance_timeout_ms = options_.rebalance_timeout_ms;
  request.member_id = member_id_;
  request.group_instance_id = options_.instance_id;
  request.protocol_type = protocol_type;
  auto& offered = request.protocols.emplace_back();
  offered.name = assignor_name;
  offered.metadata = encode_subscription(options_.topics);
  MOLDAU_CO_TRY(auto reply, co_await cluster_.call_coordinator<JoinGroupResponse>(
                                options_.group_id, std::move(request), code_of<JoinGroupResponse>, INT16_MAX,
                                options_.rebalance_timeout_ms));
  const JoinGroupResponse& joined = reply.message;
  if (const ErrorCode code = code_of(joined); code != ErrorCode::none) {
    note(code);
    if (code == ErrorCode::member_id_required) member_id_ = joined.member_id;
    co_return fail(server_error(code, "cannot join group " + options_.group_id));
  }
  member_id_ = joined.member_id;
  generation_ = joined.generation_id;
  assignment_.clear();
  co_return co_await sync(joined);
}

task<client_result<std::map<std::string, int32_t>>> GroupMembership::count_partitions(
    const std::vector<Subscriber>& subscribers) {
  std::map<std::string, int32_t> counts;
  for (const Subscriber& one : subscribers) {
    for (const std::string& name : one.topics) {
      if (counts.contains(name)) continue;
      cluster_.forget_topic(name);  // partitions may have been added since it was asked for
      const auto topic = co_await cluster_.topic(name);
      if (topic)
        counts[name] = static_cast<int32_t>(topic->partitions.size());
      else if (topic.error().code != ErrorCode::unknown_topic_or_partition)
        co_return fail(Error(topic.error()));
    }
  }
  co_return counts;
}

task<client_result<>> GroupMembership::sync(const JoinGroupResponse& joined) {
  protocol::SyncGroupRequest request;
  request.group_id = options_.group_id;
  request.generation_id = joined.generation_id;
  request.member_id = joined.member_id;
  request.group_instance_id = options_.instance_id;
  request.protocol_type = protocol_type;
  request.protocol_name = joined.protocol_name ? std::optional<std::string>(*joined.protocol_name) : assignor_name;
  if (joined.leader == joined.member_id && !joined.skip_assignment) {
    std::vector<Subscriber> subscribers;
    for (const auto& member : joined.members)
      subscribers.push_back({.member_id = member.member_id,
                             .instance_id = member.group_instance_id,
                             .topics = decode_subscription(member.metadata)});
    MOLDAU_CO_TRY(const auto counts, co_await count_partitions(subscribers));
    for (const auto& [member_id, partitions] : assign_ranges(std::move(subscribers), counts)) {
      auto& one = request.assignments.emplace_back();
      one.member_id = member_id;
      one.assignment = encode_assignment(partitions);
    }
  }
  MOLDAU_CO_TRY(auto reply, co_await cluster_.call_coordinator<SyncGroupResponse>(
                                options_.group_id, std::move(request), code_of<SyncGroupResponse>, INT16_MAX,
                                options_.rebalance_timeout_ms));
  if (const ErrorCode code = code_of(reply.message); code != ErrorCode::none) {
    note(code);
    co_return fail(server_error(code, "cannot get an assignment in group " + options_.group_id));
  }
  assignment_ = decode_assignment(reply.message.assignment);
  has_joined_ = true;
  last_heartbeat_us_ = runtime::Shard::current().now_us();
  co_return client_result<>{};
}

task<client_result<bool>> GroupMembership::keep_alive() {
  if (!has_joined_) co_return false;
  const int64_t now_us = runtime::Shard::current().now_us();
  if (now_us - last_heartbeat_us_ < options_.heartbeat_interval_ms * 1000) co_return true;
  protocol::HeartbeatRequest request;
  request.group_id = options_.group_id;
  request.generation_id = generation_;
  request.member_id = member_id_;
  request.group_instance_id = options_.instance_id;
  MOLDAU_CO_TRY(auto reply, co_await cluster_.call_coordinator<HeartbeatResponse>(
                                options_.group_id, std::move(request), code_of<HeartbeatResponse>));
  last_heartbeat_us_ = now_us;
  const ErrorCode code = code_of(reply.message);
  if (code == ErrorCode::none) co_return true;
  note(code);
  if (means_join_again(code)) co_return false;
  co_return fail(server_error(code, "cannot stay in group " + options_.group_id));
}

task<client_result<>> GroupMembership::leave() {
  if (member_id_.empty()) co_return client_result<>{};
  protocol::LeaveGroupRequest request;
  request.group_id = options_.group_id;
  request.member_id = member_id_;
  auto& self = request.members.emplace_back();
  self.member_id = member_id_;
  self.group_instance_id = options_.instance_id;
  note(ErrorCode::unknown_member_id);
  MOLDAU_CO_TRY(auto reply, co_await cluster_.call_coordinator<LeaveGroupResponse>(
                                options_.group_id, std::move(request), code_of_leaving));
  const ErrorCode code = code_of_leaving(reply.message);
  if (code != ErrorCode::none && code != ErrorCode::unknown_member_id)  // who is unknown is out
    co_return fail(server_error(code, "cannot leave group " + options_.group_id));
  co_return client_result<>{};
}

}  // namespace moldau::client
