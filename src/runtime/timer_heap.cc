#include "runtime/timer_heap.h"

namespace moldau::runtime {

TimerId TimerHeap::add(int64_t deadline_us, Job job) {
  if (free_slot_ == none) {
    slots_.emplace_back();
    free_slot_ = static_cast<uint32_t>(slots_.size() - 1);
    slots_.back().position = none;
  }
  const uint32_t slot = free_slot_;
  free_slot_ = slots_[slot].position;
  slots_[slot].job = std::move(job);
  const Entry entry{deadline_us, next_sequence_++, slot};
  heap_.push_back(entry);
  sift_up(static_cast<uint32_t>(heap_.size() - 1), entry);
  return TimerId{(static_cast<uint64_t>(slots_[slot].generation) << 32) | slot};
}

bool TimerHeap::cancel(TimerId timer) {
  const auto id = static_cast<uint64_t>(timer);
  const auto slot = static_cast<uint32_t>(id);
  const auto generation = static_cast<uint32_t>(id >> 32);
  if (slot >= slots_.size() || slots_[slot].generation != generation) return false;
  remove(slot);
  return true;
}

Job TimerHeap::take_due(int64_t now_us, uint64_t before_sequence) {
  if (heap_.empty() || heap_.front().deadline_us > now_us || heap_.front().sequence >= before_sequence) return {};
  return remove(heap_.front().slot);
}

Job TimerHeap::remove(uint32_t slot) {
  const uint32_t position = slots_[slot].position;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    if (position > 0 && before(last, heap_[(position - 1) / 2]))
      sift_up(position, last);
    else
      sift_down(position, last);
  }
  Slot& freed = slots_[slot];
  Job job = std::move(freed.job);
  freed.job = nullptr;
  if (++freed.generation == 0) freed.generation = 1;  // so that no id is ever no_timer
  freed.position = free_slot_;
  free_slot_ = slot;
  return job;
}

void TimerHeap::place(uint32_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = position;
}

void TimerHeap::sift_up(uint32_t position, Entry entry) {
  while (position > 0) {
    const uint32_t parent = (position - 1) / 2;
    if (!before(entry, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerHeap::sift_down(uint32_t position, Entry entry) {
  const auto size = static_cast<uint32_t>(heap_.size());
  while (true) {
    uint32_t child = 2 * position + 1;
    if (child >= size) break;
    if (child + 1 < size && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], entry)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

}  // namespace moldau::runtime
