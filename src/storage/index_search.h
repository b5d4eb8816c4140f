// Binary search in an index file that is read, not mapped: halves with single entries until the rest fits in one block.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "storage/index_file.h"

namespace moldau::storage {

// How many entries of `index` come before the first for which `is_beyond(const std::byte* entry)` holds; the entries
// are ordered so that it holds for all after that one.
template <uint32_t entry_size, class Beyond>
runtime::task<runtime::io_result<uint32_t>> count_before(IndexFile& index, std::string path, Beyond is_beyond) {
  constexpr uint32_t block_entries = 128;
  uint32_t low = 0;                   // entries before `low` are not beyond
  uint32_t high = index.entries();    // entries from `high` on are beyond
  std::array<std::byte, block_entries * entry_size> block;
  // Most lookups are near the end: look there first.
  if (high > block_entries) {
    const uint32_t probe = high - block_entries;
    MOLDAU_CO_CHECK(co_await index.read(path, probe, 1, MutableByteView(block).first(entry_size)));
    (is_beyond(block.data()) ? high : low) = probe;
  }
  while (high - low > block_entries) {
    const uint32_t middle = low + (high - low) / 2;
    MOLDAU_CO_CHECK(co_await index.read(path, middle, 1, MutableByteView(block).first(entry_size)));
    (is_beyond(block.data()) ? high : low) = middle;
  }
  const uint32_t count = high - low;
  if (count == 0) co_return low;
  MOLDAU_CO_CHECK(co_await index.read(path, low, count, MutableByteView(block).first(size_t{count} * entry_size)));
  uint32_t left = 0;
  uint32_t right = count;
  while (left < right) {
    const uint32_t middle = left + (right - left) / 2;
    if (is_beyond(block.data() + size_t{middle} * entry_size))
      right = middle;
    else
      left = middle + 1;
  }
  co_return low + left;
}

// How many entries of an index were written before the zeros that its file was stretched with begin. Looks only a little
// further than there: what was never written is not in the page cache.
template <uint32_t entry_size, class IsZero>
runtime::task<runtime::io_result<uint32_t>> count_written(IndexFile& index, std::string path, IsZero is_zero) {
  std::array<std::byte, entry_size> entry;
  uint32_t low = 0;                 // entries before `low` were written
  uint32_t high = index.entries();  // entries from `high` on were not
  for (uint32_t step = 64; low < high; step *= 2) {
    const uint32_t probe = std::min(low + step, high) - 1;
    MOLDAU_CO_CHECK(co_await index.read(path, probe, 1, entry));
    if (is_zero(entry.data())) {
      high = probe;
      break;
    }
    low = probe + 1;
  }
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    MOLDAU_CO_CHECK(co_await index.read(path, middle, 1, entry));
    if (is_zero(entry.data()))
      high = middle;
    else
      low = middle + 1;
  }
  co_return low;
}

}  // namespace moldau::storage
