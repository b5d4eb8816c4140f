// GroupHost: binds the group coordinator of one partition of __consumer_offsets to its log, its clock and the requests
// that wait for it.
//
// Owned by the BrokerShard that is home to the partition. The coordinator decides; the host appends what it wants
// appended, in order, tells it what became of that, hands out its replies, and keeps its timer.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>

#include "broker/partition.h"
#include "groups/coordinator_shard.h"
#include "runtime/environment.h"
#include "runtime/scope.h"

namespace moldau::broker {

class GroupHost {
 public:
  GroupHost(runtime::Environment& environment, const groups::GroupConfig& config, Partition& partition);
  ~GroupHost();

  // Replays the partition's log; requests get COORDINATOR_LOAD_IN_PROGRESS until it is done.
  [[nodiscard]] runtime::task<void> load();

  // Asks the coordinator and waits for its reply, which may take as long as a rebalance.
  [[nodiscard]] runtime::task<groups::Response> ask(groups::Call call, groups::Request request);

  // Answers everyone who waits and ends what runs. Nothing may be asked afterwards.
  [[nodiscard]] runtime::task<void> stop();

  void topics_deleted(std::span<const groups::DeletedTopic> topics);
  [[nodiscard]] groups::CoordinatorShard& coordinator() { return coordinator_; }
  [[nodiscard]] bool is_loaded() const { return loaded_; }

 private:
  struct Waiter {
    std::optional<groups::Response> response;
    runtime::Signal answered;
  };

  // The trusted clock as it was when the host was made, moved on by the monotonic one: a clock that jumps ends no session and
  // no offset.
  [[nodiscard]] int64_t now_ms() const;
  void take(groups::Output output);
  [[nodiscard]] runtime::task<void> append_all();
  void arm_timer();

  runtime::Environment& environment_;
  Partition& partition_;
  int64_t started_ms_;
  int64_t started_us_;
  groups::CoordinatorShard coordinator_;
  groups::ReplyToken next_token_ = 1;
  std::unordered_map<groups::ReplyToken, Waiter*> waiting_;
  std::deque<groups::Append> to_append_;
  bool appending_ = false;
  bool loaded_ = false;
  bool stopped_ = false;
  runtime::TimerId timer_ = runtime::no_timer;
  int64_t timer_deadline_ms_ = 0;
  runtime::Scope background_;
};

}  // namespace moldau::broker
