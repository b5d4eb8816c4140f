// The group coordinator of one partition of __consumer_offsets: classic groups in full, their offsets, and a place for
// groups of the newer kinds, which are kept but not served.
//
// Owned by the broker, one for each partition that this node leads, on the shard that is home to the partition. It does
// no I/O and reads no clock: every call says what time it is, and returns what to append and what to answer.
//
//   load      replay() every record of the partition from the start, replay_transaction_marker() every control record,
//             then finish_loading(). Until then requests get COORDINATOR_LOAD_IN_PROGRESS.
//   run       step() for a request. Append the batches of the output in their order, each once and whole, as leader with
//             acks=all; then say on_committed() when the high watermark has passed a batch, in order, or
//             on_append_failed() if it never entered the log, or on_commit_timed_out() if it did but is not yet
//             replicated in time (on_committed() follows later). Their outputs hold the replies that waited.
//   time      tick() when next_deadline() is reached: sessions, rebalances, expiry of offsets.
//   unload    unload() answers whoever waits with NOT_COORDINATOR; afterwards every request gets that.
//
// The effect of a record is there as soon as step() returns it: a later request builds on it. Readers who do not ask for
// stable offsets see committed records only. Offsets and the existence of groups change through replay() alone, the
// same code on load and while running. Members of a group before its assignment is stored are soft state, as in Kafka:
// a restart forgets them and they join again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "groups/coordinator_types.h"

namespace moldau::groups {

struct ShardState;

class CoordinatorShard {
 public:
  // `random` gives 64 random bits; member ids are made of them.
  CoordinatorShard(GroupConfig config, std::function<uint64_t()> random);
  ~CoordinatorShard();
  CoordinatorShard(CoordinatorShard&&) noexcept;
  CoordinatorShard& operator=(CoordinatorShard&&) noexcept;

  // One record of the log, in log order. `producer_id` is the batch's if the batch is transactional, else -1: such
  // offsets stay pending until their marker. False if the record could not be understood: it is skipped, the log keeps it.
  bool replay(ByteView key, std::optional<ByteView> value, int64_t producer_id = -1);
  // A COMMIT or ABORT marker in this partition, on load and while running.
  void replay_transaction_marker(int64_t producer_id, bool committed);
  // All is replayed: members get a full session from now. May append (groups over group.max.size rebalance).
  Output finish_loading(int64_t now_ms);
  Output unload();

  Output step(const Call& call, const Request& request, int64_t now_ms);
  Output on_committed(AppendId id, int64_t now_ms);
  Output on_append_failed(AppendId id, ErrorCode error, int64_t now_ms);
  Output on_commit_timed_out(AppendId id, int64_t now_ms);
  // Topics are gone: tombstones for their offsets.
  Output on_topics_deleted(std::span<const DeletedTopic> topics, int64_t now_ms);

  // When tick() has work, in the caller's milliseconds; null while there is none.
  [[nodiscard]] std::optional<int64_t> next_deadline() const;
  Output tick(int64_t now_ms);

  // Settings changed while running; sessions already begun keep theirs.
  void set_config(const GroupConfig& config);

  [[nodiscard]] GroupStats stats() const;
  // Every committed offset: group, topic, partition.
  void for_each_offset(const std::function<void(const std::string& group, const std::string& topic, int32_t partition,
                                                const CommittedOffset& offset)>& visit) const;
  // What a restart would find, as text in a fixed order: equal texts, equal state. For tests and the simulator, while no
  // append is in flight; a group that is rebalancing shows as that alone, for what it had stored is no longer at hand.
  [[nodiscard]] std::string durable_state() const;

 private:
  std::unique_ptr<ShardState> state_;
};

}  // namespace moldau::groups
