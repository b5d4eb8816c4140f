// Requests as clients send them, and members that keep their id and generation, for stories about groups. Tests only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "groups/test_world.h"

namespace moldau::groups {

using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;
using FetchedGroup = protocol::OffsetFetchResponse::OffsetFetchResponseGroup;

[[nodiscard]] constexpr int16_t code(ErrorCode error) { return static_cast<int16_t>(error); }

// A consumer subscription of version 1 without user data or owned partitions.
inline Bytes subscription(const std::vector<std::string>& topics) {
  std::string text("\0\1", 2);
  const auto int32 = [&](uint32_t n) {
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(n >> shift);
  };
  int32(static_cast<uint32_t>(topics.size()));
  for (const std::string& topic : topics) {
    text += static_cast<char>(topic.size() >> 8);
    text += static_cast<char>(topic.size());
    text += topic;
  }
  int32(0xFFFF'FFFF);
  int32(0);
  return to_bytes(text);
}

// One client of a group. Fields may be changed between requests to play a client of any kind.
struct Member {
  TestWorld& world;
  std::string group = "g";
  std::string client_id = "client";
  std::string id;
  int32_t generation = -1;
  std::optional<std::string> instance_id;
  int16_t join_version = 9;
  int32_t session_timeout_ms = 10'000;
  int32_t rebalance_timeout_ms = 60'000;
  std::string protocol_type = "consumer";
  std::vector<std::pair<std::string, Bytes>> protocols = {{"range", subscription({"t"})}};
  ReplyToken waiting = 0;
  std::string leader;
  std::vector<std::string> seen_members;  // by the leader

  JoinGroupRequest join_request() const {
    JoinGroupRequest request;
    request.group_id = group;
    request.member_id = id;
    request.group_instance_id = instance_id;
    request.session_timeout_ms = session_timeout_ms;
    request.rebalance_timeout_ms = rebalance_timeout_ms;
    request.protocol_type = protocol_type;
    for (const auto& [name, metadata] : protocols) {
      auto& one = request.protocols.emplace_back();
      one.name = name;
      one.metadata = metadata;
    }
    return request;
  }
  // Sends JoinGroup, with the id that version 4 asks for, and leaves it waiting.
  void join() {
    waiting = world.send(join_request(), join_version, client_id);
    if (!world.answered(waiting)) return;
    if (join_version < 4 || !id.empty() || instance_id) return;
    if (world.peek<JoinGroupResponse>(waiting).error_code != code(ErrorCode::member_id_required)) return;
    id = world.answer<JoinGroupResponse>(waiting).member_id;
    waiting = world.send(join_request(), join_version, client_id);
  }
  bool joined() const { return world.answered(waiting); }
  JoinGroupResponse take_join() {
    auto response = world.answer<JoinGroupResponse>(waiting);
    if (response.error_code == 0) {
      id = response.member_id;
      generation = response.generation_id;
      leader = response.leader;
      seen_members.clear();
      for (const auto& one : response.members) seen_members.push_back(one.member_id);
    }
    return response;
  }
  bool is_leader() const { return leader == id; }

  SyncGroupRequest sync_request(const std::vector<std::pair<std::string, std::string>>& assignments = {}) const {
    SyncGroupRequest request;
    request.group_id = group;
    request.member_id = id;
    request.group_instance_id = instance_id;
    request.generation_id = generation;
    request.protocol_type = protocol_type;
    request.protocol_name = protocols.front().first;
    for (const auto& [member, assignment] : assignments) {
      auto& one = request.assignments.emplace_back();
      one.member_id = member;
      one.assignment = to_bytes(assignment);
    }
    return request;
  }
  // Sends SyncGroup and leaves it waiting. A leader gives every member it has seen "parts of <id>".
  void sync() {
    std::vector<std::pair<std::string, std::string>> assignments;
    for (const std::string& member : seen_members) assignments.emplace_back(member, "parts of " + member);
    waiting = world.send(sync_request(assignments), 5, client_id);
  }
  SyncGroupResponse take_sync() { return world.answer<SyncGroupResponse>(waiting); }

  int16_t heartbeat() {
    HeartbeatRequest request;
    request.group_id = group;
    request.member_id = id;
    request.group_instance_id = instance_id;
    request.generation_id = generation;
    return world.ask<HeartbeatResponse>(request, 4, client_id).error_code;
  }
  LeaveGroupResponse leave() {
    LeaveGroupRequest request;
    request.group_id = group;
    auto& one = request.members.emplace_back();
    one.member_id = id;
    one.group_instance_id = instance_id;
    return world.ask<LeaveGroupResponse>(request, 5, client_id);
  }
  OffsetCommitRequest commit_request(const std::string& topic, int32_t partition, int64_t offset) const {
    OffsetCommitRequest request;
    request.group_id = group;
    request.member_id = id;
    request.group_instance_id = instance_id;
    request.generation_id_or_member_epoch = generation;
    auto& named = request.topics.emplace_back();
    named.name = topic;
    auto& one = named.partitions.emplace_back();
    one.partition_index = partition;
    one.committed_offset = offset;
    return request;
  }
  int16_t commit(const std::string& topic, int32_t partition, int64_t offset, int16_t version = 9) {
    const auto response = world.ask<OffsetCommitResponse>(commit_request(topic, partition, offset), version);
    return response.topics.front().partitions.front().error_code;
  }
};

inline OffsetFetchGroup fetch_request(const std::string& group, const std::string& topic,
                                      std::vector<int32_t> partitions, bool require_stable = false) {
  OffsetFetchGroup request;
  request.group.group_id = group;
  request.group.topics.emplace();
  auto& named = request.group.topics->emplace_back();
  named.name = topic;
  named.partition_indexes = std::move(partitions);
  request.require_stable = require_stable;
  return request;
}
inline int64_t committed(TestWorld& world, const std::string& group, const std::string& topic, int32_t partition,
                         bool require_stable = false) {
  const auto response = world.ask<FetchedGroup>(fetch_request(group, topic, {partition}, require_stable), 8);
  return response.topics.front().partitions.front().committed_offset;
}

// All members join, wait out the initial delay and sync: a stable group. The first is the leader of a new group.
inline void settle(TestWorld& world, const std::vector<Member*>& members) {
  for (Member* member : members) member->join();
  while (!members.front()->joined()) world.advance(500);
  for (Member* member : members) member->take_join();
  for (Member* member : members) member->sync();
  for (Member* member : members) member->take_sync();
}

}  // namespace moldau::groups
