#include "storage/batch_check.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "base/crc32c.h"
#include "protocol/legacy_batch.h"
#include "storage/newer_format.h"

namespace moldau::storage {

using protocol::RecordBatchHeader;

namespace {
constexpr int32_t smallest_legacy_length = 14;
constexpr size_t crc_from = 21;         // attributes
constexpr size_t legacy_crc_from = 16;  // magic
constexpr size_t legacy_crc_at = 12;
}  // namespace

BatchCheck::BatchCheck(const Bounds& bounds, Visit visit)
    : bounds_(bounds), visit_(std::move(visit)), taken_end_(bounds.begin), batch_(bounds.begin), next_(bounds.least) {}

bool BatchCheck::damaged(std::string what) {
  damage_ = std::move(what);
  return false;
}

void BatchCheck::add_to_crc(ByteView bytes) {
  if (header_.magic >= 2)
    crc_ = crc32c(bytes, crc_);
  else
    crc_ = static_cast<uint32_t>(crc32_z(crc_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

bool BatchCheck::take(ByteView bytes) {
  if (is_damaged()) return false;
  while (!bytes.empty()) {
    if (!has_front_) {
      if (front_wanted_ == 0)
        front_wanted_ = std::min<uint64_t>(protocol::record_batch_header_bytes, bounds_.size - batch_);
      const size_t part = std::min(front_wanted_ - front_bytes_, bytes.size());
      std::copy_n(bytes.data(), part, front_.data() + front_bytes_);
      front_bytes_ += part;
      taken_end_ += part;
      bytes = bytes.subspan(part);
      if (front_bytes_ < front_wanted_) return true;
      if (!take_front()) return false;
      if (batch_ >= bounds_.stop) return false;
    } else {
      const auto part = static_cast<size_t>(std::min<uint64_t>(missing_bytes_, bytes.size()));
      add_to_crc(bytes.first(part));
      missing_bytes_ -= part;
      taken_end_ += part;
      bytes = bytes.subspan(part);
    }
    if (has_front_ && missing_bytes_ == 0 && !finish_batch()) return false;
  }
  return batch_ < bounds_.size;
}

bool BatchCheck::take_front() {
  claimed_.reset();
  const ByteView front(front_.data(), front_bytes_);
  const uint64_t left = bounds_.size - batch_;
  if (front_bytes_ <= protocol::batch_up_to_magic_bytes) return damaged(fmt::format("{} bytes that are no batch", left));
  const auto length = load_be<int32_t>(front.data() + 8);
  const auto magic = load_be<int8_t>(front.data() + 16);
  if (magic > newest_magic && magic <= newest_credible_magic) return damaged("a batch of " + about_newer_magic(magic));
  if (magic < 0 || magic > newest_magic) return damaged(fmt::format("a batch of magic {}", magic));
  const uint64_t size = uint64_t{protocol::batch_overhead_bytes} + static_cast<uint32_t>(std::max(length, 0));
  if (length < smallest_legacy_length || (magic == 2 && size < protocol::record_batch_header_bytes))
    return damaged(fmt::format("a batch of length {}", length));
  if (size > left) return damaged(fmt::format("a batch of {} bytes where the file has {}", size, left));
  header_ = protocol::read_header_of_any_magic(front);
  claimed_ = header_;
  const Offset last = header_.last_offset();
  if (header_.base_offset < next_) {
    // If the batch before left a hole in front of it, and this one fits where it would lie without, the offset of the
    // batch before is what is wrong.
    const bool fits = previous_ && previous_->base_offset > previous_least_ &&
                      header_.base_offset >= previous_least_ + previous_->last_offset_delta + 1;
    std::string what = fmt::format("a batch of offset {} where {} is next", header_.base_offset, next_);
    if (fits) {
      what = fmt::format("a batch of offset {} in front of one of offset {}", previous_->base_offset, header_.base_offset);
      claimed_ = previous_;
      batch_ = previous_position_;
      next_ = previous_least_;
    }
    return damaged(std::move(what));
  }
  if (header_.last_offset_delta < 0 || last < header_.base_offset || last >= bounds_.limit)
    return damaged(fmt::format("a batch of offsets {} to {} where less than {} may be", header_.base_offset, last, bounds_.limit));
  if (previous_ && is_first_ && !bounds_.is_least_exact && header_.base_offset != next_)
    return damaged(fmt::format("a batch of offset {} behind one that ends at {}", header_.base_offset, next_ - 1));
  if (previous_) is_first_ = false;
  crc_ = 0;
  add_to_crc(front.subspan(magic == 2 ? crc_from : legacy_crc_from, std::min<uint64_t>(size, front_bytes_) -
                                                                        (magic == 2 ? crc_from : legacy_crc_from)));
  missing_bytes_ = size - std::min<uint64_t>(size, front_bytes_);
  has_front_ = true;
  return true;
}

bool BatchCheck::finish_batch() {
  const uint32_t stated = header_.magic >= 2 ? header_.crc : load_be<uint32_t>(front_.data() + legacy_crc_at);
  if (crc_ != stated)
    return damaged(fmt::format("a batch of offset {} whose checksum is {:08x} and should be {:08x}", header_.base_offset,
                               crc_, stated));
  if (visit_) visit_(header_, batch_);
  previous_ = header_;
  previous_position_ = batch_;
  previous_least_ = next_;
  next_ = header_.next_offset();
  batch_ += header_.size_bytes();
  // A small batch of an old form is shorter than the front that was taken: the rest belongs to the next one.
  const size_t own = std::min<size_t>(header_.size_bytes(), front_bytes_);
  std::copy(front_.begin() + static_cast<ptrdiff_t>(own), front_.begin() + static_cast<ptrdiff_t>(front_bytes_), front_.begin());
  front_bytes_ -= own;
  front_wanted_ = batch_ < bounds_.size ? std::min<uint64_t>(protocol::record_batch_header_bytes, bounds_.size - batch_) : 0;
  has_front_ = false;
  claimed_.reset();
  if (front_wanted_ == 0 || front_bytes_ < front_wanted_) return true;
  if (!take_front() || batch_ >= bounds_.stop) return false;
  return missing_bytes_ > 0 || finish_batch();
}

void BatchCheck::finish() {
  if (is_damaged() || batch_ >= bounds_.stop || batch_ >= bounds_.size) return;
  (void)damaged(fmt::format("a batch of which the file has no more than {} bytes", taken_end_ - batch_));
}

}  // namespace moldau::storage
