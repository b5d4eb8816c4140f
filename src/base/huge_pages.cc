#include "base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace moldau {

void prefer_huge_pages(void* memory, size_t bytes) {
  constexpr uintptr_t huge_page_bytes = 2U << 20;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (begin + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
  const uintptr_t end = (begin + bytes) / huge_page_bytes * huge_page_bytes;
  if (first < end) (void)madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
}

}  // namespace moldau
