// LZ4 frames, as Kafka takes them: one frame of independent blocks, without dictionary. What follows the
// frame is ignored, and so are the content's checksum and size: the library is shown the frame up to its end
// mark only.
#include <lz4.h>
#include <lz4frame.h>

#include <algorithm>

#include "base/assert.h"
#include "protocol/codecs.h"

namespace moldau::protocol {

namespace {

constexpr uint32_t frame_magic = 0x184d2204;
constexpr size_t smallest_header_bytes = 7;
constexpr size_t flags_at = 4;
constexpr std::byte dictionary_flag{0x01};
constexpr std::byte content_checksum_flag{0x04};
constexpr std::byte content_size_flag{0x08};
constexpr std::byte block_checksum_flag{0x10};
constexpr std::byte independent_blocks_flag{0x20};
constexpr uint32_t stored_block_bit = 0x80000000;
constexpr int default_level =
    9;  // Kafka's name for the fast compressor; other levels are those of lz4's slow one

uint32_t load_little_endian(ByteView bytes) {
  uint32_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

bool has_flag(ByteView frame, std::byte flag) { return (frame[flags_at] & flag) != std::byte{0}; }

size_t header_bytes(ByteView frame) {
  return smallest_header_bytes + (has_flag(frame, content_size_flag) ? 8 : 0);
}

const char* refuse_header(ByteView frame) {
  if (frame.size() < smallest_header_bytes) return "the lz4 frame ends too early";
  if (load_little_endian(frame) != frame_magic) return "the bytes do not begin an lz4 frame";
  if (has_flag(frame, dictionary_flag)) return "the lz4 frame wants a dictionary";
  if (!has_flag(frame, independent_blocks_flag)) return "the lz4 frame has linked blocks";
  if (frame.size() < header_bytes(frame)) return "the lz4 frame ends too early";
  return nullptr;
}

// Where the blocks end; null where no end mark comes, or not the whole of what its header says follows it.
std::optional<size_t> find_end_of_blocks(ByteView frame) {
  size_t at = header_bytes(frame);
  while (frame.size() - at >= sizeof(uint32_t)) {
    const size_t block = load_little_endian(frame.subspan(at)) & ~stored_block_bit;
    if (block == 0) {
      const size_t trailer = sizeof(uint32_t) * (has_flag(frame, content_checksum_flag) ? 2 : 1);
      return frame.size() - at >= trailer ? std::optional(at) : std::nullopt;
    }
    const size_t whole = block + sizeof(uint32_t) * (has_flag(frame, block_checksum_flag) ? 2 : 1);
    if (frame.size() - at < whole) return std::nullopt;
    at += whole;
  }
  return std::nullopt;
}

class Lz4 : public Decompressor {
 public:
  explicit Lz4(ByteView compressed) : rest_(compressed), error_(refuse_header(compressed)) {
    MOLDAU_ASSERT(!LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)));
    if (error_ != nullptr) return;
    const auto end = find_end_of_blocks(compressed);
    has_end_ = end.has_value();
    if (end) rest_ = compressed.first(*end);
  }
  ~Lz4() override { LZ4F_freeDecompressionContext(context_); }
  Lz4(const Lz4&) = delete;
  Lz4& operator=(const Lz4&) = delete;

  result<size_t, CompressionError> read(MutableByteView to) override {
    if (!has_begun_) begin();
    while (error_ == nullptr) {
      if (takes_blocks_) {
        if (left_of_block_.empty() && rest_.empty()) return 0;
        if (const size_t got = read_block(to); got > 0) return got;
        continue;
      }
      size_t written = to.size();
      size_t consumed = rest_.size();
      const size_t outcome = LZ4F_decompress(context_, to.data(), &written, rest_.data(), &consumed, nullptr);
      if (LZ4F_isError(outcome)) {
        error_ = "the bytes are not an lz4 frame";
        continue;
      }
      rest_ = rest_.subspan(consumed);
      if (written > 0) return written;
      if (consumed > 0) continue;
      if (has_end_) return 0;
      error_ = "the lz4 frame ends too early";
    }
    return fail(CompressionError{error_});
  }

 private:
  // The library checks the header. Blocks without a checksum need it no further: it would first make buffers of its own,
  // and copy each block once more.
  void begin() {
    has_begun_ = true;
    if (error_ != nullptr) return;
    LZ4F_frameInfo_t frame{};
    size_t consumed = rest_.size();
    if (LZ4F_isError(LZ4F_getFrameInfo(context_, &frame, rest_.data(), &consumed))) {
      error_ = "the bytes are not an lz4 frame";
      return;
    }
    rest_ = rest_.subspan(consumed);
    takes_blocks_ = has_end_ && frame.blockChecksumFlag == LZ4F_noBlockChecksum;
    constexpr int smallest_block_id = LZ4F_max64KB;
    block_max_bytes_ = size_t{64 * 1024} << (2 * (std::max<int>(frame.blockSizeID, smallest_block_id) - smallest_block_id));
  }

  // Some bytes of the block at hand, or of the next one, which is whole; 0 if it is empty, or wrong.
  size_t read_block(MutableByteView to) {
    if (left_of_block_.empty()) {
      const uint32_t word = load_little_endian(rest_);
      const ByteView block = rest_.subspan(sizeof word, word & ~stored_block_bit);
      rest_ = rest_.subspan(sizeof word + block.size());
      if (block.size() > block_max_bytes_) {
        error_ = "the bytes are not an lz4 frame";
        return 0;
      }
      if ((word & stored_block_bit) != 0) {
        left_of_block_ = block;
      } else {
        const bool fits = to.size() >= block_max_bytes_;
        if (!fits) block_.resize(block_max_bytes_);
        const int size = LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()),
                                             reinterpret_cast<char*>(fits ? to.data() : block_.data()),
                                             static_cast<int>(block.size()), static_cast<int>(block_max_bytes_));
        if (size < 0) error_ = "the bytes are not an lz4 frame";
        if (size <= 0) return 0;
        if (fits) return static_cast<size_t>(size);
        left_of_block_ = ByteView(block_).first(static_cast<size_t>(size));
      }
    }
    const size_t count = std::min(to.size(), left_of_block_.size());
    std::copy_n(left_of_block_.begin(), count, to.begin());
    left_of_block_ = left_of_block_.subspan(count);
    return count;
  }

  ByteView rest_;
  LZ4F_dctx* context_ = nullptr;
  bool has_begun_ = false;
  bool has_end_ = false;
  bool takes_blocks_ = false;
  size_t block_max_bytes_ = 0;
  Bytes block_;             // of a reader that asks for less than one
  ByteView left_of_block_;  // in block_ or, of a stored block, in the frame
  const char* error_ = nullptr;
};

}  // namespace

std::unique_ptr<Decompressor> open_lz4(ByteView compressed) { return std::make_unique<Lz4>(compressed); }

Bytes with_right_lz4_header(ByteView frame) {
  if (refuse_header(frame) != nullptr) return to_bytes(frame);
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID =
      static_cast<LZ4F_blockSizeID_t>(std::to_integer<int>(frame[5]) >> 4 & 7);
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  if (has_flag(frame, content_checksum_flag))
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  if (has_flag(frame, block_checksum_flag))
    preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
  LZ4F_cctx* context = nullptr;
  MOLDAU_ASSERT(!LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)));
  Bytes fixed(LZ4F_HEADER_SIZE_MAX);
  const size_t size = LZ4F_compressBegin(context, fixed.data(), fixed.size(), &preferences);
  LZ4F_freeCompressionContext(context);
  if (LZ4F_isError(size)) return to_bytes(frame);
  fixed.resize(size);
  const ByteView blocks = frame.subspan(header_bytes(frame));
  fixed.insert(fixed.end(), blocks.begin(), blocks.end());
  return fixed;
}

Bytes compress_lz4(ByteView bytes, std::optional<int> level) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  const int wanted = level.value_or(default_level);
  preferences.compressionLevel =
      wanted == default_level ? 0 : std::clamp(wanted, 1, LZ4F_compressionLevel_max());
  Bytes out(LZ4F_compressFrameBound(bytes.size(), &preferences));
  const size_t size = LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  MOLDAU_ASSERT(!LZ4F_isError(size));
  out.resize(size);
  return out;
}

}  // namespace moldau::protocol
