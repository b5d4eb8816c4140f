// The codecs behind protocol/compression.h, one source each. Included by what stands right before them alone.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "protocol/compression.h"

namespace moldau::protocol {

std::unique_ptr<Decompressor> open_gzip(ByteView compressed);
std::unique_ptr<Decompressor> open_snappy(ByteView compressed);
std::unique_ptr<Decompressor> open_lz4(ByteView compressed);
std::unique_ptr<Decompressor> open_zstd(ByteView compressed);

// The frame with the checksum that its header should have: the oldest clients computed another, and magic 0 keeps it.
Bytes with_right_lz4_header(ByteView frame);

Bytes compress_gzip(ByteView bytes, std::optional<int> level);
Bytes compress_snappy(ByteView bytes);
Bytes compress_lz4(ByteView bytes, std::optional<int> level);
Bytes compress_zstd(ByteView bytes, std::optional<int> level);

}  // namespace moldau::protocol
