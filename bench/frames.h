// Frames on a connection, for the programs of the bench: what both the floor and the load generator need of Kafka's
// protocol besides the messages.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>

#include "protocol/api_table.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "runtime/network.h"

namespace moldau::bench {

using runtime::Connection;
using runtime::task;

inline constexpr int16_t produce_version = 9;  // flexible, and still with topic names
inline constexpr int16_t fetch_version = 12;

// Cuts what comes in into frames; a frame is valid until the next one is asked for.
class FrameStream {
 public:
  // Takes at most `at_once` bytes of a connection in one call.
  explicit FrameStream(Connection& connection, size_t at_once = SIZE_MAX)
      : connection_(connection), at_once_(at_once), buffer_(256 * 1024) {}

  // The next frame without its length, if it has come whole already.
  std::optional<ByteView> take() {
    const size_t have = end_ - begin_;
    if (have < 4) return std::nullopt;
    const auto size = static_cast<size_t>(load_be<int32_t>(buffer_.data() + begin_));
    if (have < 4 + size) return std::nullopt;
    const ByteView frame = ByteView(buffer_).subspan(begin_ + 4, size);
    begin_ += 4 + size;
    return frame;
  }

  // Waits for more bytes. False at the end of the connection. Frames taken before are no longer valid.
  task<bool> fill() {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ >= 4) {
      const size_t wanted = 4 + static_cast<size_t>(load_be<int32_t>(buffer_.data()));
      if (buffer_.size() < wanted) buffer_.resize(wanted);
    }
    const MutableByteView room = MutableByteView(buffer_).subspan(end_);
    const auto n = co_await connection_.read(room.first(std::min(room.size(), at_once_)));
    if (!n || *n == 0) co_return false;
    end_ += *n;
    co_return true;
  }

 private:
  Connection& connection_;
  size_t at_once_;
  Bytes buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

// A whole request frame. The correlation id stands at byte 8.
template <class Request>
Bytes request_frame(const Request& request, int16_t version, int32_t correlation_id = 0) {
  protocol::Writer writer;
  const size_t length = writer.skip(4);
  writer.int16(static_cast<int16_t>(Request::api_key));
  writer.int16(version);
  writer.int32(correlation_id);
  writer.nullable_string("bench", false, true);
  if (version >= Request::first_flexible_version) writer.unsigned_varint(0);
  protocol::encode(writer, request, version);
  writer.patch_int32(length, static_cast<int32_t>(writer.size() - 4));
  return writer.take();
}

// The body of a response frame.
inline ByteView response_body(ByteView frame, bool flexible) { return frame.subspan(flexible ? 5 : 4); }

}  // namespace moldau::bench
