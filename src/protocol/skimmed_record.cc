#include "protocol/skimmed_record.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "protocol/reader.h"

namespace moldau::protocol {

namespace {

// The rest of a record, whose fields are taken from the stream one after the other. Stops at the first thing
// wrong.
class RecordBody {
 public:
  RecordBody(DecompressedBytes& bytes, size_t size) : bytes_(bytes), left_(size) {}

  int64_t varlong() {
    return number([](Reader& in) { return in.varlong(); });
  }
  int32_t varint() {
    return number([](Reader& in) { return in.varint(); });
  }
  void skip(size_t count) {
    if (error_) return;
    if (count > left_) return stop("a record's fields reach beyond its length");
    left_ -= count;
    auto skipped = bytes_.skip(count);
    if (!skipped) {
      error_ = std::move(skipped.error());
    } else if (!*skipped) {
      stop("the decompressed bytes end inside a record");
    }
  }
  // Over bytes with their length before them; whether there are any, or null.
  bool skip_nullable() {
    const int32_t length = varint();
    if (length >= 0) skip(static_cast<size_t>(length));
    return length >= 0;
  }
  void stop(std::string_view what) {
    if (!error_) error_ = BatchError{BatchError::Reason::malformed, std::string(what)};
  }
  [[nodiscard]] bool has_stopped() const { return error_.has_value(); }
  [[nodiscard]] const BatchError& error() const { return *error_; }
  [[nodiscard]] size_t left() const { return left_; }

 private:
  template <class Read>
  auto number(Read read) -> decltype(read(std::declval<Reader&>())) {
    constexpr size_t longest_number = 10;
    if (error_) return 0;
    auto front = bytes_.peek(std::min(left_, longest_number));
    if (!front) {
      error_ = std::move(front.error());
      return 0;
    }
    Reader in(front->first(std::min(left_, front->size())));
    const auto value = read(in);
    if (in.failed()) {
      stop("a record's fields reach beyond its length");
      return 0;
    }
    bytes_.consume(in.position());
    left_ -= in.position();
    return value;
  }

  DecompressedBytes& bytes_;
  size_t left_;
  std::optional<BatchError> error_;
};

result<size_t, BatchError> take_length(DecompressedBytes& bytes) {
  constexpr size_t longest_length = 5;
  MOLDAU_TRY(const ByteView front, bytes.peek(longest_length));
  Reader in(front);
  const int32_t length = in.varint();
  if (in.failed() || length < 0)
    return fail(
        BatchError{BatchError::Reason::malformed, "the decompressed bytes end where a record should begin"});
  bytes.consume(in.position());
  return static_cast<size_t>(length);
}

// Contiguous bytes with as few branches as will do. Broken for good after the first read beyond the end.
class PlainBytes {
 public:
  explicit PlainBytes(ByteView bytes) : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  // A varint of at most `longest` bytes: 5 for 32 bits, of which the caller keeps those, or 10.
  template <int longest>
  int64_t zigzag() {
    uint64_t raw = 0;
    for (int i = 0; i < longest && at_ != end_; ++i) {
      const auto byte = std::to_integer<uint64_t>(*at_++);
      raw |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        if constexpr (longest == 5) raw &= 0xffffffff;
        return static_cast<int64_t>((raw >> 1) ^ (uint64_t{0} - (raw & 1)));
      }
    }
    is_broken_ = true;
    return 0;
  }
  void skip(size_t count) {
    if (count > left()) {
      is_broken_ = true;
    } else {
      at_ += count;
    }
  }
  bool skip_nullable() {
    const auto length = static_cast<int32_t>(zigzag<5>());
    if (length >= 0) skip(static_cast<size_t>(length));
    return length >= 0;
  }
  // Nothing is read beyond the next `count` bytes; false when there are not so many.
  bool end_after(size_t count) {
    if (count > left()) return false;
    end_ = at_ + count;
    return true;
  }
  [[nodiscard]] bool is_broken() const { return is_broken_; }
  [[nodiscard]] size_t left() const { return static_cast<size_t>(end_ - at_); }
  [[nodiscard]] size_t position() const { return static_cast<size_t>(at_ - begin_); }

 private:
  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  bool is_broken_ = false;
};

}  // namespace

std::optional<SkimmedRecord> skim_record(ByteView& rest) {
  PlainBytes bytes(rest);
  const auto length = static_cast<int32_t>(bytes.zigzag<5>());
  if (length < 0 || bytes.is_broken()) return std::nullopt;
  if (!bytes.end_after(static_cast<size_t>(length))) return std::nullopt;
  SkimmedRecord record;
  bytes.skip(1);  // attributes
  record.timestamp_delta = bytes.zigzag<10>();
  record.offset_delta = static_cast<int32_t>(bytes.zigzag<5>());
  record.has_key = bytes.skip_nullable();
  bytes.skip_nullable();
  const auto header_count = static_cast<int32_t>(bytes.zigzag<5>());
  if (header_count < 0) return std::nullopt;
  for (int32_t i = 0; i < header_count && !bytes.is_broken(); ++i) {
    if (!bytes.skip_nullable()) return std::nullopt;
    bytes.skip_nullable();
  }
  if (bytes.is_broken() || bytes.left() != 0) return std::nullopt;
  rest = rest.subspan(bytes.position());
  return record;
}

result<SkimmedRecord, BatchError> skim_record(DecompressedBytes& bytes) {
  MOLDAU_TRY(const size_t length, take_length(bytes));
  RecordBody body(bytes, length);
  SkimmedRecord record;
  body.skip(1);  // attributes
  record.timestamp_delta = body.varlong();
  record.offset_delta = body.varint();
  record.has_key = body.skip_nullable();
  body.skip_nullable();
  const int32_t header_count = body.varint();
  if (header_count < 0) body.stop("a record has a negative number of headers");
  for (int32_t i = 0; i < header_count && !body.has_stopped(); ++i) {
    if (!body.skip_nullable()) body.stop("a record has a header without a key");
    body.skip_nullable();
  }
  if (body.left() != 0) body.stop("a record is longer than its fields");
  if (body.has_stopped()) return fail(BatchError(body.error()));
  return record;
}

}  // namespace moldau::protocol
