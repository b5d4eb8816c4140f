#include "storage/segment_examination.h"

#include <algorithm>
#include <cerrno>

#include "base/mutant.h"
#include "protocol/legacy_batch.h"
#include "storage/batch_check.h"
#include "storage/index_check.h"

namespace moldau::storage {

using protocol::RecordBatchHeader;
using runtime::FilePtr;
using runtime::task;

namespace {

constexpr uint64_t page_bytes = 4096;

// Forgets the entries at the end that are all zeros.
void cut_room(Bytes& index, size_t entry_bytes) {
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  while (index.size() >= entry_bytes && std::ranges::all_of(ByteView(index).last(entry_bytes), is_zero))
    index.resize(index.size() - entry_bytes);
}

class Walk {
 public:
  Walk(runtime::Environment& environment, SegmentPtr segment, Offset limit, const ExaminationTerms& terms)
      : environment_(environment), segment_(std::move(segment)), limit_(limit), terms_(terms), next_(segment_->base_offset()) {
    found_.size_bytes = segment_->size_bytes();
  }

  task<log_result<Examination>> run(bool is_active) {
    MOLDAU_CO_TRY(file_, co_await segment_->log_file());
    Bytes offsets, times, transactions;
    if (!is_active) {
      MOLDAU_CO_TRY(offsets, co_await index_bytes(FileKind::offset_index));
      MOLDAU_CO_TRY(times, co_await index_bytes(FileKind::time_index));
      MOLDAU_CO_TRY(transactions, co_await index_bytes(FileKind::transaction_index));
    }
    if (terms_.indexes_have_room) {
      cut_room(offsets, OffsetIndex::entry_size);
      cut_room(times, TimeIndex::entry_size);
    }
    IndexCheck indexes(segment_->base_offset(), std::move(offsets), std::move(times));
    uint64_t position = 0;
    if (MOLDAU_MUTANT("scrubber-skips-first-batch")) {
      if (auto first = co_await segment_->find(segment_->base_offset()); first && *first) {
        position = (*first)->size_bytes;
        next_ = (*first)->last_offset + 1;
      }
    }
    while (position < found_.size_bytes) {
      BatchCheck check({.begin = position, .stop = found_.size_bytes, .size = found_.size_bytes, .least = next_, .limit = limit_},
                       [&](const RecordBatchHeader& batch, uint64_t at) { indexes.take(batch, at); });
      MOLDAU_CO_TRY(const bool goes_on, co_await feed(check));
      if (!goes_on) co_return std::move(found_);
      next_ = check.next_offset();
      if (!check.is_damaged()) break;
      MOLDAU_CO_TRY(const std::optional<Place> place, co_await find_next(check));
      if (is_stopped_) co_return std::move(found_);
      const Place after = place.value_or(Place{found_.size_bytes, limit_});
      found_.damage.push_back({static_cast<uint32_t>(check.sound_end()), static_cast<uint32_t>(after.position), next_,
                               std::max(after.first_offset, next_), check.damage()});
      position = after.position;
      next_ = std::max(after.first_offset, next_);
    }
    found_.end_offset = next_;
    if (const auto lost = indexes.lost_offset(found_.size_bytes, next_, limit_))
      found_.damage.push_back({found_.size_bytes, found_.size_bytes, next_, limit_,
                               fmt::format("the end of the file is missing: an index knows of offset {}", *lost)});
    if (!is_active) {
      indexes.finish(found_.damage, next_, limit_);
      if (found_.offset_index_fault.empty()) found_.offset_index_fault = indexes.offset_index_fault();
      if (found_.time_index_fault.empty()) found_.time_index_fault = indexes.time_index_fault();
      if (found_.transaction_index_fault.empty())
        found_.transaction_index_fault = transaction_index_fault(transactions, segment_->base_offset(), limit_);
    }
    found_.is_finished = true;
    co_return std::move(found_);
  }

 private:
  struct Place {
    uint64_t position = 0;
    Offset first_offset;
  };

  std::string& fault_of(FileKind kind) {
    if (kind == FileKind::offset_index) return found_.offset_index_fault;
    return kind == FileKind::time_index ? found_.time_index_fault : found_.transaction_index_fault;
  }

  task<log_result<Bytes>> index_bytes(FileKind kind) {
    auto bytes = co_await runtime::read_file(environment_.files(), segment_->path(kind));
    if (bytes) co_return std::move(*bytes);
    const int number = bytes.error().error_number;
    if (number != ENOENT && number != EIO) co_return fail(Error(bytes.error()));
    const bool is_needed = found_.size_bytes > 0 && kind != FileKind::transaction_index;
    if (is_needed || number == EIO) fault_of(kind) = number == ENOENT ? "it is missing" : bytes.error().message();
    co_return Bytes{};
  }

  // False: the examination is to stop.
  task<bool> may_read(uint64_t bytes) {
    is_stopped_ = terms_.should_stop && terms_.should_stop();
    if (is_stopped_) co_return false;
    if (terms_.throttle) co_await terms_.throttle(bytes);
    found_.bytes_read += bytes;
    co_return true;
  }

  // Reads into the block; of what the disk cannot read, what lies before it, in whole pages. 0: the end, or not a page.
  task<log_result<size_t>> read_block(uint64_t at, uint64_t wanted) {
    block_.resize(wanted);
    is_unreadable_ = false;
    auto got = terms_.leaves_cache ? co_await file_->read_once_at(at, block_) : co_await file_->read_at(at, block_);
    if (got) co_return *got;
    if (got.error().error_number != EIO) co_return fail(Error(got.error()));
    uint64_t done = 0;
    while (done < wanted) {
      const uint64_t part = std::min(wanted - done, page_bytes - (at + done) % page_bytes);
      const auto piece = co_await file_->read_at(at + done, MutableByteView(block_).subspan(done, part));
      if (!piece || *piece < part) break;
      done += part;
    }
    is_unreadable_ = true;
    co_return done;
  }

  // Reads until the check has seen all that it wants, or something that is wrong.
  task<log_result<bool>> feed(BatchCheck& check) {
    bool wants_more = true;
    while (wants_more) {
      const uint64_t at = check.taken_end();
      const uint64_t wanted = std::min<uint64_t>(terms_.block_bytes, found_.size_bytes - at);
      if (wanted == 0) break;
      if (!co_await may_read(wanted)) co_return false;
      MOLDAU_CO_TRY(const size_t got, co_await read_block(at, wanted));
      if (got == 0 && is_unreadable_) check.fail("the disk cannot read it");
      if (got == 0) break;
      co_await environment_.run_off_shard([&] { wants_more = check.take(ByteView(block_).first(got)); });
    }
    check.finish();
    co_return true;
  }

  // Where records go on behind what is damaged; null: nowhere in this segment.
  task<log_result<std::optional<Place>>> find_next(const BatchCheck& check) {
    if (MOLDAU_MUTANT("quarantine-forgets-end")) co_return std::optional<Place>{};
    const uint64_t begin = check.sound_end();
    // If no more than its contents are damaged, the batch still says rightly where the next one begins.
    if (const auto& claimed = check.claimed(); claimed && begin + claimed->size_bytes() < found_.size_bytes) {
      const uint64_t end = begin + claimed->size_bytes();
      MOLDAU_CO_TRY(const auto following, co_await batch_at(end, false));
      if (following && (claimed->magic < 2 || following->first_offset == claimed->next_offset())) co_return following;
    }
    // Bytes that look like batches, one inside the other, shall not keep it going for ever.
    const uint64_t most_bytes = found_.bytes_read + 8 * uint64_t{found_.size_bytes} + (64U << 20);
    for (uint64_t from = begin + 1; from < found_.size_bytes && found_.bytes_read < most_bytes;) {
      MOLDAU_CO_TRY(const std::optional<uint64_t> candidate, co_await find_front(from));
      if (!candidate) break;
      MOLDAU_CO_TRY(const auto place, co_await batch_at(*candidate, true));
      if (place) co_return place;
      if (is_stopped_) break;
      from = *candidate + 1;
    }
    co_return std::optional<Place>{};
  }

  [[nodiscard]] bool may_begin_batch(const std::byte* at, uint64_t position) const {
    const auto offset = load_be<int64_t>(at);
    if (offset < next_.value() || offset >= limit_.value()) return false;
    const auto length = load_be<int32_t>(at + 8);
    const auto magic = load_be<int8_t>(at + 16);
    return length >= 14 && magic >= 0 && magic <= 2 &&
           position + protocol::batch_overhead_bytes + static_cast<uint32_t>(length) <= found_.size_bytes;
  }

  // The first position from `from` on whose bytes could be the front of a batch.
  task<log_result<std::optional<uint64_t>>> find_front(uint64_t from) {
    while (from + protocol::batch_up_to_magic_bytes <= found_.size_bytes) {
      const uint64_t wanted = std::min<uint64_t>(terms_.block_bytes, found_.size_bytes - from);
      if (!co_await may_read(wanted)) co_return std::optional<uint64_t>{};
      MOLDAU_CO_TRY(const size_t got, co_await read_block(from, wanted));
      if (got < protocol::batch_up_to_magic_bytes && is_unreadable_) {
        from = ((from + got) / page_bytes + 1) * page_bytes;
        continue;
      }
      if (got < protocol::batch_up_to_magic_bytes) co_return std::optional<uint64_t>{};
      const size_t last = got - protocol::batch_up_to_magic_bytes;
      std::optional<uint64_t> found;
      co_await environment_.run_off_shard([&] {
        for (size_t i = 0; i <= last && !found; ++i)
          if (may_begin_batch(block_.data() + i, from + i)) found = from + i;
      });
      if (found) co_return found;
      from += last + 1;
    }
    co_return std::optional<uint64_t>{};
  }

  // Whether a sound batch begins there, and perhaps the front of another one, or the end of the file, behind it.
  task<log_result<std::optional<Place>>> batch_at(uint64_t position, bool needs_follower) {
    std::optional<RecordBatchHeader> batch;
    BatchCheck check({.begin = position, .stop = position + 1, .size = found_.size_bytes, .least = next_, .limit = limit_},
                     [&](const RecordBatchHeader& header, uint64_t) { batch = header; });
    MOLDAU_CO_TRY(const bool goes_on, co_await feed(check));
    if (!goes_on || !batch || (needs_follower && check.is_damaged())) co_return std::optional<Place>{};
    Place place{position, batch->base_offset};
    if (batch->magic < 2) {
      Bytes bytes(batch->size_bytes());
      MOLDAU_CO_TRY(const size_t got, co_await file_->read_at(position, bytes));
      if (got < bytes.size()) co_return std::optional<Place>{};
      if (const auto first = protocol::first_offset_in_any_magic(bytes)) place.first_offset = std::max(*first, next_);
    }
    co_return place;
  }

  runtime::Environment& environment_;
  SegmentPtr segment_;
  Offset limit_;
  const ExaminationTerms& terms_;
  FilePtr file_;
  Offset next_;
  Bytes block_;
  bool is_stopped_ = false;
  bool is_unreadable_ = false;  // what lies behind what read_block gave
  Examination found_;
};

}  // namespace

task<log_result<Examination>> examine_segment(runtime::Environment& environment, SegmentPtr segment, Offset limit, bool is_active,
                                              const ExaminationTerms& terms) {
  Walk walk(environment, std::move(segment), limit, terms);
  co_return co_await walk.run(is_active);
}

}  // namespace moldau::storage
