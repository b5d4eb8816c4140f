// ProcessFrames: the coroutine frames of one simulated process, for the leak checker.
//
// A killed process is never destroyed, and much of it nothing points to any more but its own frames: who waited for a
// connection is known to that connection alone. The environment of the process holds this list and stays in the graveyard, so
// all that a killed process left counts as reachable. A process that ended by itself takes its list with it: what it forgot is
// found. Without an AddressSanitizer there is no list.
#pragma once

#include "runtime/frame_memory.h"

namespace moldau::runtime::simulated {

class ProcessFrames {
 public:
  ProcessFrames() = default;
  ProcessFrames(const ProcessFrames&) = delete;
  ProcessFrames& operator=(const ProcessFrames&) = delete;
#if __has_feature(address_sanitizer)
  ~ProcessFrames() {
    while (head_.next != &head_) {
      internal::FrameLink* const link = head_.next;
      head_.next = link->next;
      link->previous = link->next = link;
    }
  }
  // Frames made between enter() and leave() are of this process.
  void enter() { internal::frames_of_process = &head_; }
  void leave() { internal::frames_of_process = nullptr; }

 private:
  internal::FrameLink head_;
#else
  void enter() {}
  void leave() {}
#endif
};

}  // namespace moldau::runtime::simulated
