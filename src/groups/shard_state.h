// The inside of a coordinator shard, shared by the files of this folder and nobody else: groups, offsets, deadlines and
// appends in flight, and the turn in which one event is handled.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "groups/classic_group.h"
#include "groups/coordinator_types.h"
#include "groups/deadlines.h"
#include "groups/foreign_group.h"
#include "groups/offset_store.h"

namespace moldau::groups {

struct Group {
  std::string id;
  std::variant<ClassicGroup, ForeignGroup> kind;
  AppendId created_by = 0;  // readers see the group once this append is committed; 0: it is
};

// What else happens when an append is decided, beside its replies.
struct AssignmentStored {  // SyncGroup of the leader
  std::string group;
  int32_t generation = 0;
  std::map<std::string, Bytes> assignments;
};
struct StaticMemberReplaced {  // a static member came back under a new id; what to go back to
  std::string group;
  std::string instance_id;
  std::string old_member_id;
  std::string new_member_id;
  std::optional<std::string> old_leader;
  std::vector<MemberProtocol> old_protocols;
  int32_t old_rebalance_timeout_ms = 0;
  int32_t old_session_timeout_ms = 0;
};
using Continuation = std::variant<std::monostate, AssignmentStored, StaticMemberReplaced>;

struct WaitingReply {
  Reply reply;
  int16_t version = 0;
};

// An append that the broker has been asked for and not yet reported on.
struct InFlight {
  AppendId id = 0;
  std::vector<OffsetKey> offsets;                // touched
  std::vector<DroppedPending> dropped_pending;
  std::vector<std::string> created_groups;
  std::vector<std::unique_ptr<Group>> removed_groups;  // or changed, as they were before: each once
  std::vector<WaitingReply> replies;
  Continuation then;
};

enum class Phase : uint8_t { loading, running, unloaded };

struct ShardState {
  GroupConfig config;
  std::function<uint64_t()> random;
  Phase phase = Phase::loading;
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups;
  OffsetStore offsets;
  Deadlines deadlines;
  std::deque<InFlight> in_flight;
  AppendId last_append = 0;
  uint64_t replayed = 0;  // records so far: their order
  uint64_t completed_rebalances = 0;
  uint64_t committed_offsets = 0;
  uint64_t expired_offsets = 0;
  uint64_t unknown_records = 0;
};

// One event being handled.
struct Turn {
  ShardState& shard;
  int64_t now_ms = 0;
  Output output{};
};

[[nodiscard]] Group* find_group(ShardState& shard, std::string_view id);
[[nodiscard]] ClassicGroup* find_classic(ShardState& shard, std::string_view id);
[[nodiscard]] ClassicGroup* as_classic(Group* group);
// A new, empty classic group; there must be none of this id.
Group& create_classic(ShardState& shard, const std::string& id, std::optional<int64_t> now_ms);

void reply(Turn& turn, ReplyToken token, Response response);
// Answers once every append asked for so far is committed: now, if there is none.
void reply_when_settled(Turn& turn, const Call& call, Response response);

// Asks for the records to be appended and applies them as replay does, but for values of classic groups: there the
// memory is ahead of its record. `records` is not empty.
InFlight& append(Turn& turn, std::vector<CoordinatorRecord> records);

// Applies one record. `append` is 0 on load; else what it takes to undo it goes to the append in flight.
bool apply_record(ShardState& shard, ByteView key, std::optional<ByteView> value, int64_t producer_id,
                  InFlight* append);

// "clientId-uuid" or "instanceId-uuid".
[[nodiscard]] std::string new_member_id(ShardState& shard, std::string_view prefix);

}  // namespace moldau::groups
