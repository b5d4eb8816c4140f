// LZ4 frames, as Kafka takes them: one frame of independent blocks, without dictionary. What follows the frame is
// ignored, and so are the content's checksum and size.
#include <lz4frame_static.h>

#include <algorithm>

#include "base/assert.h"
#include "protocol/codecs.h"

namespace moldau::protocol {

namespace {

constexpr uint32_t frame_magic = 0x184d2204;
constexpr std::byte dictionary_flag{0x01};
constexpr std::byte independent_blocks_flag{0x20};
constexpr int default_level = 9;  // Kafka's name for the fast compressor; other levels are those of lz4's slow one

uint32_t load_little_endian(ByteView bytes) {
  uint32_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

class Lz4 : public Decompressor {
 public:
  explicit Lz4(ByteView compressed) : rest_(compressed) {
    constexpr size_t smallest_header = 6;
    if (compressed.size() < smallest_header) {
      error_ = "the lz4 frame ends too early";
    } else if (load_little_endian(compressed) != frame_magic) {
      error_ = "the bytes do not begin an lz4 frame";
    } else if ((compressed[4] & dictionary_flag) != std::byte{0}) {
      error_ = "the lz4 frame wants a dictionary";
    } else if ((compressed[4] & independent_blocks_flag) == std::byte{0}) {
      error_ = "the lz4 frame has linked blocks";
    }
    MOLDAU_ASSERT(!LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)));
  }
  ~Lz4() override { LZ4F_freeDecompressionContext(context_); }
  Lz4(const Lz4&) = delete;
  Lz4& operator=(const Lz4&) = delete;

  result<size_t, CompressionError> read(MutableByteView to) override {
    while (!is_finished_) {
      if (error_ != nullptr) return fail(CompressionError{error_});
      size_t written = to.size();
      size_t consumed = rest_.size();
      const size_t outcome = LZ4F_decompress(context_, to.data(), &written, rest_.data(), &consumed, nullptr);
      if (LZ4F_isError(outcome)) {
        take_error(LZ4F_getErrorCode(outcome));
        continue;
      }
      rest_ = rest_.subspan(consumed);
      is_finished_ = outcome == 0;
      if (written > 0) return written;
      if (!is_finished_ && consumed == 0) error_ = "the lz4 frame ends too early";
    }
    return 0;
  }

 private:
  // A frame whose content is not what its checksum or size say ends like any other.
  void take_error(LZ4F_errorCodes code) {
    if (code == LZ4F_ERROR_contentChecksum_invalid || code == LZ4F_ERROR_frameSize_wrong) {
      is_finished_ = true;
    } else {
      error_ = "the bytes are not an lz4 frame";
    }
  }

  ByteView rest_;
  LZ4F_dctx* context_ = nullptr;
  bool is_finished_ = false;
  const char* error_ = nullptr;
};

}  // namespace

std::unique_ptr<Decompressor> open_lz4(ByteView compressed) { return std::make_unique<Lz4>(compressed); }

Bytes compress_lz4(ByteView bytes, std::optional<int> level) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  const int wanted = level.value_or(default_level);
  preferences.compressionLevel = wanted == default_level ? 0 : std::clamp(wanted, 1, LZ4F_compressionLevel_max());
  Bytes out(LZ4F_compressFrameBound(bytes.size(), &preferences));
  const size_t size = LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  MOLDAU_ASSERT(!LZ4F_isError(size));
  out.resize(size);
  return out;
}

}  // namespace moldau::protocol
