// GroupMembership: one member of a classic consumer group: join, sync, heartbeat, leave.
//
// The caller drives it; between calls nothing runs, so whoever does not keep_alive() within the session timeout is out of
// the group. Eager: a rebalance takes everything away and hands it out again. Its one assignor is Kafka's range. What to
// read, and from where, is the caller's: see Fetcher and committed_offsets(). One shard.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cluster.h"
#include "client/groups.h"
#include "client/offsets.h"
#include "client/range_assignor.h"
#include "protocol/messages/join_group_response.h"

namespace moldau::client {

struct GroupMembershipOptions {
  std::string group_id;
  std::optional<std::string> instance_id;  // of a static member (KIP-345)
  std::vector<std::string> topics;
  int32_t session_timeout_ms = 45'000;
  int32_t rebalance_timeout_ms = 300'000;
  int64_t heartbeat_interval_ms = 3000;
};

class GroupMembership {
 public:
  GroupMembership(Cluster& cluster, GroupMembershipOptions options) : cluster_(cluster), options_(std::move(options)) {}

  // Joins the group, or its next generation, and learns its assignment; takes as long as a rebalance, and is tried again
  // for the cluster's retry timeout. fenced_instance_id: another process has this member's instance id.
  task<client_result<>> join();
  // Sends a heartbeat if one is due. False: the generation is over; give the partitions up and join().
  task<client_result<bool>> keep_alive();
  // Gives the membership up; a static member keeps its place until its session ends, unless it leaves like this.
  task<client_result<>> leave();

  [[nodiscard]] bool has_joined() const { return has_joined_; }
  // Of the last generation that this member knows of, its own or one that is over; -1: none.
  [[nodiscard]] int32_t generation() const { return generation_; }
  // As whom to commit_offsets(). A refusal (illegal_generation, unknown_member_id, rebalance_in_progress) means: join().
  [[nodiscard]] CommittingMember self() const { return {generation_, member_id_, options_.instance_id}; }
  [[nodiscard]] const std::string& member_id() const { return member_id_; }
  [[nodiscard]] const std::vector<TopicPartition>& assignment() const { return assignment_; }

 private:
  // One JoinGroup and one SyncGroup. An error of Kafka's that means "join again" has been taken note of.
  task<client_result<>> join_once();
  task<client_result<>> sync(const protocol::JoinGroupResponse& joined);
  task<client_result<std::map<std::string, int32_t>>> count_partitions(const std::vector<Subscriber>& subscribers);
  // Notes what an error code says about this membership.
  void note(protocol::ErrorCode code);

  Cluster& cluster_;
  GroupMembershipOptions options_;
  std::string member_id_;
  int32_t generation_ = -1;
  bool has_joined_ = false;
  std::vector<TopicPartition> assignment_;
  int64_t last_heartbeat_us_ = 0;
};

}  // namespace moldau::client
