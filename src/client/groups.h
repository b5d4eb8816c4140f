// Groups as an administrator sees them: list, describe, read and set committed offsets, delete. Nothing here
// joins one; see group_membership.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/offsets.h"

namespace moldau::client {

struct ListedGroup {
  std::string id;
  std::string protocol_type;  // "consumer" of consumers; empty of groups that only hold offsets
  std::string state;          // Stable, Empty, PreparingRebalance, ...
  std::string type;           // classic, consumer, share; empty from old brokers
};

struct GroupMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;
};

struct GroupDescription {
  std::string id;
  std::string state;
  std::string type;
  std::string protocol;     // the assignor
  std::string coordinator;  // host:port
  std::vector<GroupMember> members;
};

struct CommittedOffset {
  TopicPartition partition;
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  std::string metadata;
};

// Of every broker; sorted by id.
task<client_result<std::vector<ListedGroup>>> list_groups(Cluster& cluster);
task<client_result<GroupDescription>> describe_group(Cluster& cluster, std::string group_id);
// Every offset that the group has committed, sorted by partition; empty for a group that does not exist.
task<client_result<std::vector<CommittedOffset>>> committed_offsets(Cluster& cluster, std::string group_id);
// Who commits: a member of a generation, or nobody of the group, which must then have no members.
struct CommittingMember {
  int32_t generation = -1;
  std::string member_id;
  std::optional<std::string> instance_id;
};
task<client_result<>> commit_offsets(Cluster& cluster, std::string group_id, std::vector<CommittedOffset> offsets,
                                     CommittingMember member = {});
task<client_result<>> delete_group(Cluster& cluster, std::string group_id);

}  // namespace moldau::client
