#include "server/memory_budget.h"

#include <algorithm>

namespace moldau::server {

std::unique_ptr<std::byte[]> SpareMemory::take(size_t& capacity) {
  if (capacity >= least_block_bytes) {
    const auto fits = [&](const Piece& piece) { return piece.capacity >= capacity && piece.capacity / 2 <= capacity; };
    if (const auto piece = std::ranges::find_if(pieces_, fits); piece != pieces_.end()) {
      capacity = piece->capacity;
      kept_bytes_ -= capacity;
      auto memory = std::move(piece->memory);
      pieces_.erase(piece);
      return memory;
    }
    // Frames of nearly the same size shall find each other's memory.
    capacity = (capacity + least_block_bytes - 1) / least_block_bytes * least_block_bytes;
  }
  return std::make_unique_for_overwrite<std::byte[]>(capacity);
}

void SpareMemory::give_back(std::unique_ptr<std::byte[]> memory, size_t capacity) {
  if (capacity < least_block_bytes || capacity > most_kept_bytes) return;
  // What came last is warm, and of the size that is wanted now: the oldest make room.
  while (kept_bytes_ + capacity > most_kept_bytes) {
    kept_bytes_ -= pieces_.front().capacity;
    pieces_.erase(pieces_.begin());
  }
  pieces_.push_back({std::move(memory), capacity});
  kept_bytes_ += capacity;
}

}  // namespace moldau::server
