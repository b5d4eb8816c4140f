// Memory for coroutine frames: a free list for each size class and thread, because frames are made and dropped all the
// time and a general allocator costs several times more. A frame may be given back on another thread than it came from;
// each list is bounded. With a sanitizer the general allocator is used, so that it sees every use after free; with the one
// that looks for leaks, the frames of a simulated process are linked to each other (simulated/process_frames.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace moldau::runtime::internal {

#if __has_feature(address_sanitizer)
// Lies in front of each frame. A frame outside of simulated processes is linked to itself.
struct FrameLink {
  FrameLink* previous = this;
  FrameLink* next = this;
};
static_assert(sizeof(FrameLink) % __STDCPP_DEFAULT_NEW_ALIGNMENT__ == 0);
// The head of the list that new frames of this thread enter; null for none.
inline constinit thread_local FrameLink* frames_of_process = nullptr;

inline void* allocate_frame(std::size_t size) {
  auto* const link = new (::operator new(sizeof(FrameLink) + size)) FrameLink;
  if (frames_of_process != nullptr) {
    link->previous = frames_of_process;
    link->next = frames_of_process->next;
    link->next->previous = link->previous->next = link;
  }
  return link + 1;
}

inline void free_frame(void* frame, std::size_t size) noexcept {
  FrameLink* const link = static_cast<FrameLink*>(frame) - 1;
  link->previous->next = link->next;
  link->next->previous = link->previous;
  ::operator delete(link, sizeof(FrameLink) + size);
}
#elif __has_feature(thread_sanitizer)
inline void* allocate_frame(std::size_t size) { return ::operator new(size); }
inline void free_frame(void* frame, std::size_t size) noexcept { ::operator delete(frame, size); }
#else

inline constexpr std::size_t frame_class_bytes = 64;
inline constexpr std::size_t frame_classes = 32;  // up to 2 KiB
inline constexpr uint32_t frames_kept = 256;      // of one class in one thread

struct FrameList {
  struct Free {
    Free* next;
  };
  Free* first = nullptr;
  uint32_t count = 0;
};
inline constinit thread_local FrameList frame_lists[frame_classes];

inline void* allocate_frame(std::size_t size) {
  const std::size_t size_class = (size - 1) / frame_class_bytes;
  if (size_class >= frame_classes) return ::operator new(size);
  FrameList& list = frame_lists[size_class];
  if (list.first == nullptr) return ::operator new((size_class + 1) * frame_class_bytes);
  FrameList::Free* const frame = list.first;
  list.first = frame->next;
  --list.count;
  return frame;
}

inline void free_frame(void* frame, std::size_t size) noexcept {
  const std::size_t size_class = (size - 1) / frame_class_bytes;
  if (size_class >= frame_classes) return ::operator delete(frame);
  FrameList& list = frame_lists[size_class];
  if (list.count == frames_kept) return ::operator delete(frame);
  auto* const free = static_cast<FrameList::Free*>(frame);
  free->next = list.first;
  list.first = free;
  ++list.count;
}
#endif

}  // namespace moldau::runtime::internal
