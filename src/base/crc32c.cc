#include "base/crc32c.h"

#include <isa-l.h>

namespace moldau {

uint32_t crc32c(ByteView bytes, uint32_t crc) {
  // ISA-L takes an int length and does no inversion of its own.
  uint32_t state = ~crc;
  while (!bytes.empty()) {
    const size_t step = std::min<size_t>(bytes.size(), 1 << 30);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
    state = crc32_iscsi(data, static_cast<int>(step), state);
    bytes = bytes.subspan(step);
  }
  return ~state;
}

}  // namespace moldau
