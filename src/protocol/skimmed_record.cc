#include "protocol/skimmed_record.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "protocol/reader.h"

namespace moldau::protocol {

namespace {

// The rest of a record, whose fields are taken from the stream one after the other. Stops at the first thing wrong.
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
    return fail(BatchError{BatchError::Reason::malformed, "the decompressed bytes end where a record should begin"});
  bytes.consume(in.position());
  return static_cast<size_t>(length);
}

}  // namespace

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
