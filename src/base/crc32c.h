// CRC-32C (Castagnoli), as record batches and producer snapshots use it. ISA-L picks the fastest code for this CPU.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace moldau {

// The checksum of `bytes` appended to data whose checksum is `crc`; start with 0.
[[nodiscard]] uint32_t crc32c(ByteView bytes, uint32_t crc = 0);

}  // namespace moldau
