// zstd. Frames may follow one another, skippable ones too; anything else after a frame is an error.
#include <zstd.h>

#include <algorithm>

#include "base/assert.h"
#include "protocol/codecs.h"

namespace moldau::protocol {

namespace {

constexpr int default_level = 3;

class Zstd : public Decompressor {
 public:
  explicit Zstd(ByteView compressed) : rest_(compressed), stream_(ZSTD_createDStream()) {
    MOLDAU_ASSERT(stream_ != nullptr);
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  result<size_t, CompressionError> read(MutableByteView to) override {
    while (true) {
      if (error_ != nullptr) return fail(CompressionError{error_});
      if (rest_.empty() && is_between_frames_) return 0;
      ZSTD_inBuffer in{rest_.data(), rest_.size(), 0};
      ZSTD_outBuffer out{to.data(), to.size(), 0};
      const size_t outcome = ZSTD_decompressStream(stream_, &out, &in);
      if (ZSTD_isError(outcome)) {
        error_ = "the bytes are not a zstd stream";
        continue;
      }
      rest_ = rest_.subspan(in.pos);
      is_between_frames_ = outcome == 0;
      if (out.pos > 0) return out.pos;
      if (in.pos == 0 && !is_between_frames_) error_ = "the zstd stream ends too early";
    }
  }

 private:
  ByteView rest_;
  ZSTD_DStream* stream_;
  bool is_between_frames_ = true;
  const char* error_ = nullptr;
};

}  // namespace

std::unique_ptr<Decompressor> open_zstd(ByteView compressed) { return std::make_unique<Zstd>(compressed); }

Bytes compress_zstd(ByteView bytes, std::optional<int> level) {
  Bytes out(ZSTD_compressBound(bytes.size()));
  const size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level.value_or(default_level));
  MOLDAU_ASSERT(!ZSTD_isError(size));
  out.resize(size);
  return out;
}

}  // namespace moldau::protocol
