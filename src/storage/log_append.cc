// Appending: checking what comes in, giving it its place, writing it, and moving every piece of state that depends on it.
#include "base/assert.h"
#include "base/mutant.h"
#include "protocol/legacy_batch.h"
#include "storage/leader_check.h"
#include "storage/log.h"
#include "storage/prepared_append.h"

namespace moldau::storage {

using protocol::ErrorCode;
using protocol::RecordBatchHeader;
using runtime::task;

namespace {

Error corrupt(std::string what) { return Error(ErrorCode::corrupt_message, std::move(what)); }

// The one batch of a client's or coordinator's append. What is cut off behind it is not looked at, as in Kafka.
log_result<MutableByteView> single_batch(MutableByteView records) {
  protocol::BatchCursor cursor(records);
  const auto first = cursor.next();
  if (!first) return fail(corrupt(first.error().what));
  if (!*first) return fail(corrupt("the records hold no whole batch"));
  if ((*first)->magic != 2)
    return fail(Error(ErrorCode::invalid_record, fmt::format("magic {} can be read, not written", (*first)->magic)));
  const size_t size_bytes = (*first)->bytes.size();
  const auto second = cursor.next();
  if (!second || *second) return fail(Error(ErrorCode::invalid_record, "one batch is expected, there are more"));
  return records.first(size_bytes);
}

// Splits bytes that a leader has made already into headers. A cut-off batch at the end is left out.
log_result<> take_batches(ByteView records, AppendOrigin origin, LeaderEpoch epoch, PreparedAppend& into) {
  protocol::BatchCursor cursor(records);
  size_t taken_bytes = 0;
  while (true) {
    const auto next = cursor.next();
    if (!next) return fail(corrupt(next.error().what));
    if (!*next) break;
    const ByteView bytes = (*next)->bytes;
    // A leader whose directory is old sends what lies there; only the quorum's log never held anything older.
    if ((*next)->magic != 2 && origin != AppendOrigin::replication)
      return fail(Error(ErrorCode::invalid_record, fmt::format("magic {} can be read, not written", (*next)->magic)));
    const RecordBatchHeader header = protocol::read_header_of_any_magic(bytes);
    if (origin == AppendOrigin::raft_leader && header.leader_epoch != epoch)
      return fail(Error(ErrorCode::invalid_record, fmt::format("a batch has leader epoch {}, the leader {}",
                                                               header.leader_epoch, epoch)));
    // Written by a leader that this follower does not know of yet: they will be fetched again (KIP-966).
    if (origin == AppendOrigin::replication && header.leader_epoch > epoch) break;
    if (!protocol::is_crc_right_in_any_magic(bytes))
      return fail(corrupt(fmt::format("the checksum of the batch at offset {} is wrong", header.base_offset)));
    if (!into.several.empty() && header.last_offset() <= into.several.back().last_offset())
      return fail(Error(ErrorCode::unknown_server_error, fmt::format("offset {} comes after offset {}",
                                                                     header.last_offset(),
                                                                     into.several.back().last_offset())));
    into.several.push_back(header);
    into.max_timestamp_ms = std::max(into.max_timestamp_ms, header.max_timestamp_ms);
    taken_bytes = cursor.position();
  }
  into.batches = into.several;
  into.bytes = records.first(taken_bytes);
  if (into.several.empty()) return {};
  into.first_offset = into.several.front().base_offset;
  into.last_offset = into.several.back().last_offset();
  return {};
}

}  // namespace

task<log_result<AppendInfo>> Log::append_as_leader(LeaderAppend append) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  if (append.origin == AppendOrigin::client && !options_.health->take_room(static_cast<int64_t>(append.records.size())))
    co_return fail(options_.health->full_error());
  MutableByteView batch = append.records;
  if (append.origin != AppendOrigin::raft_leader) {
    MOLDAU_CO_TRY(batch, single_batch(append.records));
  }
  log_result<AppendInfo> info;
  {
    const auto held = co_await mutex_.lock();
    if (is_closed_) co_return fail(closed_error());  // before the records are changed: they may be meant for another log
    PreparedAppend prepared;
    if (append.origin == AppendOrigin::raft_leader) {
      MOLDAU_CO_CHECK(take_batches(batch, append.origin, append.leader_epoch, prepared));
    } else {
      const LeaderCheck check(batch, append, config(), end_.offset, now_ms());
      auto verdict = check.check_if_small();
      // Other partitions of this shard go on; appends to this one wait behind the mutex, so that nothing which the check
      // was given changes meanwhile.
      if (!verdict) co_await options_.environment->run_off_shard([&] { verdict = check.check(); });
      if (!*verdict) co_return fail(error_of(std::move((*verdict).error())));
      check.take(std::move(**verdict), prepared);
    }
    if (prepared.batches.empty()) co_return AppendInfo{.log_start_offset = log_start_offset_};
    info = co_await write_prepared(prepared, append.origin, append.verification_guard, append.transaction_version);
  }
  if (info && needs_flush_now()) {
    if (MOLDAU_MUTANT("ack-before-fsync"))
      background_.spawn(flush_in_background(end_.offset));
    else
      MOLDAU_CO_CHECK(co_await flush());
  }
  co_return info;
}

task<log_result<AppendInfo>> Log::append_as_follower(ByteView records, LeaderEpoch leader_epoch) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  log_result<AppendInfo> info;
  {
    PreparedAppend prepared;
    MOLDAU_CO_CHECK(take_batches(records, AppendOrigin::replication, leader_epoch, prepared));
    if (prepared.batches.empty()) co_return AppendInfo{.log_start_offset = log_start_offset_};
    const auto held = co_await mutex_.lock();
    info = co_await write_prepared(prepared, AppendOrigin::replication, 0, -1);
  }
  if (info && needs_flush_now()) MOLDAU_CO_CHECK(co_await flush());
  co_return info;
}

task<log_result<>> Log::note_epochs(const PreparedAppend& prepared) {
  for (const RecordBatchHeader& batch : prepared.batches)
    if (batch.leader_epoch > no_leader_epoch && epochs_.assign(batch.leader_epoch, batch.base_offset))
      epochs_changed_ = true;
  if (!epochs_changed_) co_return log_result<>{};
  co_return co_await write_epochs();
}

task<log_result<AppendInfo>> Log::write_prepared(PreparedAppend& prepared, AppendOrigin origin, uint64_t guard,
                                                 int transaction_version) {
  if (is_closed_) co_return fail(closed_error());
  if (prepared.first_offset < end_.offset)
    co_return fail(Error(ErrorCode::unknown_server_error, fmt::format("offset {} is below the log end of {}-{}, {}",
                                                                      prepared.first_offset, topic(), partition(),
                                                                      end_.offset)));
  if (epochs_changed_ || !epochs_.latest() || epochs_.latest()->epoch != prepared.batches.back().leader_epoch) {
    if (auto noted_epochs = co_await note_epochs(prepared); !noted_epochs)
      co_return fail(noted(std::move(noted_epochs.error())));
  }
  const auto size_bytes = static_cast<uint32_t>(prepared.bytes.size());
  if (size_bytes > config().segment_bytes)
    co_return fail(Error(ErrorCode::record_list_too_large,
                         fmt::format("the batch has {} bytes, a segment of {}-{} at most {} (segment.bytes)", size_bytes,
                                     topic(), partition(), config().segment_bytes)));
  const Segment::RollQuestion question{now_ms(), prepared.max_timestamp_ms, prepared.last_offset, size_bytes};
  auto should_roll = co_await active().should_roll(question, config());
  if (!should_roll) co_return fail(noted(std::move(should_roll.error())));
  if (*should_roll) {
    if (auto rolled = co_await roll_locked(prepared.first_offset); !rolled) co_return fail(noted(std::move(rolled.error())));
  }
  MOLDAU_CO_CHECK(check_producers(prepared, origin, guard, transaction_version));

  AppendInfo info;
  info.first_offset = prepared.first_offset;
  info.last_offset = prepared.last_offset;
  info.max_timestamp_ms = prepared.max_timestamp_ms;
  info.log_append_time_ms = prepared.log_append_time_ms;
  info.log_start_offset = log_start_offset_;
  info.last_leader_epoch = prepared.batches.back().leader_epoch;
  if (prepared.duplicate_of) {
    info.is_duplicate = true;
    info.first_offset = prepared.duplicate_of->first_offset();
    info.last_offset = prepared.duplicate_of->last_offset;
    info.log_append_time_ms = prepared.duplicate_of->timestamp_ms;
    co_return info;
  }

  Segment& segment = active();
  const ByteView parts[] = {prepared.bytes};
  if (auto written = co_await segment.append(parts, prepared.batches, config()); !written) {
    const Error error = noted(std::move(written.error()));
    // What it had written is cut. Should a power cut bring that back, it would end the log there, whatever a later segment holds.
    if (!is_offline() && !MOLDAU_MUTANT("failed-append-cut-unsynced")) MOLDAU_CO_CHECK(co_await sync_active());
    co_return fail(error);
  }
  info.size_bytes = size_bytes;
  set_end(prepared.last_offset + 1);
  for (const ProducerAppend& producer : prepared.producers) producers_.apply(producer);
  for (const CompletedTransaction& completed : prepared.completed) {
    if (completed.is_aborted) {
      const AbortedTransaction aborted{completed.producer_id, completed.first_offset, completed.last_offset,
                                       producers_.last_stable_offset(completed)};
      co_await segment.append_aborted(aborted);
    }
    producers_.complete(completed);
  }
  producers_.set_end_offset(end_.offset);
  update_first_unstable();
  for (const RecordBatchHeader& batch : prepared.batches) note_replay_cost(batch);
  if (is_far_from_snapshot()) co_await write_passing_snapshot();
  co_return info;
}

log_result<> Log::check_producers(PreparedAppend& prepared, AppendOrigin origin, uint64_t guard,
                                  int transaction_version) {
  ByteView rest = prepared.bytes;
  for (const RecordBatchHeader& batch : prepared.batches) {
    const ByteView bytes = rest.first(batch.size_bytes());
    rest = rest.subspan(batch.size_bytes());
    if (!batch.has_producer_id()) continue;
    const ProducerEntry* known = producers_.find(batch.producer_id);
    if (origin == AppendOrigin::client && known != nullptr && !MOLDAU_MUTANT("repeat-not-recognised") &&
        !MOLDAU_MUTANT("repeat-appended")) {
      const ProducedBatch* repeat = known->find(batch.producer_epoch, batch.base_sequence, batch.last_sequence());
      if (repeat != nullptr) {
        prepared.duplicate_of = *repeat;
        return {};
      }
    }
    if ((origin == AppendOrigin::client || origin == AppendOrigin::coordinator) && batch.is_transactional() &&
        !producers_.has_ongoing_transaction(batch.producer_id, batch.producer_epoch)) {
      if (known != nullptr && batch.producer_epoch < known->epoch)
        return fail(Error(ErrorCode::invalid_producer_epoch,
                          fmt::format("the epoch of producer {} is {}, below the last one seen, {}", batch.producer_id,
                                      batch.producer_epoch, known->epoch)));
      if (producers_.config().verify_transactions && !batch.is_control() &&
          !producers_.is_verified(batch.producer_id, guard))
        return fail(Error(ErrorCode::invalid_txn_state, "the batch is not part of a transaction that is open here"));
    }
    ProducerAppend* producer = nullptr;
    for (ProducerAppend& seen : prepared.producers)
      if (seen.producer_id == batch.producer_id) producer = &seen;
    if (producer == nullptr) producer = &prepared.producers.emplace_back(producers_.prepare(batch.producer_id, origin));
    MOLDAU_TRY(const auto completed, feed_producer(*producer, batch, bytes, transaction_version));
    if (completed) prepared.completed.push_back(*completed);
    if (batch.is_transactional()) producers_.clear_verification(batch.producer_id);
  }
  return {};
}

uint64_t Log::start_verification(ProducerId id, int32_t sequence, ProducerEpoch epoch, bool supports_epoch_bump) {
  return producers_.start_verification(id, sequence, epoch, supports_epoch_bump, now_ms());
}

}  // namespace moldau::storage
