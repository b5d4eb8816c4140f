// TimerHeap: the timers of one shard, ordered by deadline, then by the order in which they were made.
//
// Owned by a Shard implementation and used on its thread only. Making, firing and cancelling cost O(log n); a cancelled
// timer leaves at once, so request deadlines that never fire do not pile up. Nothing is allocated once the heap has
// seen its largest size. It runs no job itself and knows no clock.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/shard.h"

namespace moldau::runtime {

class TimerHeap {
 public:
  TimerId add(int64_t deadline_us, Job job);
  // False if the timer has fired or was cancelled before.
  bool cancel(TimerId timer);

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] size_t size() const { return heap_.size(); }
  // The earliest deadline; INT64_MAX when there is none.
  [[nodiscard]] int64_t next_deadline_us() const { return heap_.empty() ? INT64_MAX : heap_.front().deadline_us; }

  // Timers made from now on have a sequence of at least this.
  [[nodiscard]] uint64_t next_sequence() const { return next_sequence_; }
  // Takes out the job of the earliest timer if it is due at now_us and was made before `before_sequence`; else empty.
  [[nodiscard]] Job take_due(int64_t now_us, uint64_t before_sequence = UINT64_MAX);

 private:
  struct Entry {
    int64_t deadline_us;
    uint64_t sequence;
    uint32_t slot;
  };
  struct Slot {
    Job job;
    uint32_t generation = 1;
    uint32_t position = 0;  // in heap_; the next free slot while unused
  };

  static bool before(const Entry& a, const Entry& b) {
    return a.deadline_us != b.deadline_us ? a.deadline_us < b.deadline_us : a.sequence < b.sequence;
  }
  void place(uint32_t position, const Entry& entry);
  void sift_up(uint32_t position, Entry entry);
  void sift_down(uint32_t position, Entry entry);
  Job remove(uint32_t slot);

  static constexpr uint32_t none = UINT32_MAX;
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  uint32_t free_slot_ = none;
  uint64_t next_sequence_ = 0;
};

}  // namespace moldau::runtime
