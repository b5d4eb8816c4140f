#include "broker/partition.h"

#include "base/mutant.h"
#include "broker/fetch_read.h"
#include "protocol/batch_validation.h"

namespace moldau::broker {

using protocol::ErrorCode;
using runtime::task;

static constexpr int32_t only_replica = 1;  // all that is in sync in a cluster of one

bool is_internal_topic(std::string_view topic) {
  return topic == "__consumer_offsets" || topic == "__transaction_state" || topic == "__share_group_state";
}

Partition::Partition(Identity identity, std::shared_ptr<storage::Log> log, PartitionMetrics metrics)
    : identity_(std::move(identity)), log_(std::move(log)), metrics_(std::move(metrics)) {}

Partition::~Partition() { fire_watches(); }

ErrorCode Partition::check_leader_epoch(int32_t of_client) const {
  if (of_client < 0 || of_client == identity_.leader_epoch) return ErrorCode::none;
  return of_client < identity_.leader_epoch ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch;
}

void Partition::appended(const storage::AppendInfo& info, size_t size_bytes) {
  advance(info.last_offset + 1);
  if (info.is_duplicate) return;
  metrics_.bytes_in->add(size_bytes);
  if (info.last_offset >= info.first_offset) metrics_.records_in->add(static_cast<uint64_t>(info.last_offset - info.first_offset) + 1);
}

void Partition::advance(Offset appended_end) {
  Offset to = log_->log_end_offset();
  if (commits_ != nullptr) {
    if (log_->durable_end_offset() < to) commits_->request(shared_from_this());
    if (!MOLDAU_MUTANT("durable-ack-before-sync")) to = log_->durable_end_offset();
  } else if (to - log_->recovery_point() >= log_->config().flush_messages && !MOLDAU_MUTANT("high-watermark-before-fsync")) {
    // With log.flush.interval.messages, what others have appended since may not be flushed yet: nobody may read what a
    // power cut could still take.
    to = appended_end;
  }
  if (MOLDAU_MUTANT("high-watermark-minus-one")) to = to - 1;
  if (to <= log_->high_watermark()) return;
  log_->update_high_watermark(to);
  fire_watches();
  advanced_.notify_all();
}

void Partition::set_commits(storage::GroupCommit* commits) {
  if (commits_ == commits) return;
  commits_ = commits;
  advance(log_->log_end_offset());
}

void Partition::take_log(std::shared_ptr<storage::Log> log, storage::GroupCommit* commits) {
  log_ = std::move(log);
  commits_ = commits;
  advance(log_->log_end_offset());
}

void Partition::on_commit(const storage::log_result<>& outcome) {
  if (outcome) return advance(log_->log_end_offset());
  advanced_.notify_all();
  fire_watches();
}

void Partition::retire() {
  is_retired_ = true;
  advanced_.notify_all();
  fire_watches();
}

void Partition::directory_failed() {
  advanced_.notify_all();
  fire_watches();
}

task<ErrorCode> Partition::wait_for_high_watermark(Offset end, int64_t deadline_us) {
  while (log_->high_watermark() < end) {
    if (is_retired_) co_return ErrorCode::not_leader_or_follower;
    if (log_->is_offline()) co_return ErrorCode::kafka_storage_error;
    if (!co_await advanced_.wait_until(deadline_us)) co_return ErrorCode::request_timed_out;
  }
  co_return ErrorCode::none;
}

task<storage::log_result<storage::AppendInfo>> Partition::append_to_log(storage::LeaderAppend append) {
  std::optional<runtime::Mutex::Held> turn;
  if (entering_.is_locked() && !MOLDAU_MUTANT("appends-not-held-in-a-move")) turn.emplace(co_await entering_.lock());
  const std::shared_ptr<storage::Log> log = log_;
  co_return co_await log->append_as_leader(append);
}

task<storage::log_result<bool>> Partition::delete_records_before(Offset offset) {
  const auto self = shared_from_this();
  while (true) {
    const std::shared_ptr<storage::Log> log = log_;
    auto deleted = co_await log->delete_records_before(offset);
    if (deleted || log == log_) co_return deleted;
  }
}

task<AppendAnswer> Partition::append(MutableByteView records, AppendTerms terms) {
  const auto self = shared_from_this();
  AppendAnswer answer;
  if (terms.acks == -1 && identity_.min_insync_replicas > only_replica) {
    answer.error = ErrorCode::not_enough_replicas;
    answer.message = fmt::format("min.insync.replicas is {}, and only this replica is in sync", identity_.min_insync_replicas);
    co_return answer;
  }
  auto batch = protocol::single_produced_batch(records, terms.produce_version);
  if (!batch) {
    answer.error = batch.error().code;
    answer.message = std::move(batch.error().message);
    co_return answer;
  }
  auto appended_info =
      co_await append_to_log({.records = records.first(batch->size()), .leader_epoch = LeaderEpoch(identity_.leader_epoch)});
  if (!appended_info) {
    answer.error = appended_info.error().code;
    answer.message = std::move(appended_info.error().message);
    answer.record_errors = std::move(appended_info.error().record_errors);
    if (answer.error == ErrorCode::invalid_record || answer.error == ErrorCode::invalid_timestamp)
      answer.log_start_offset = log_->log_start_offset().value();
    co_return answer;
  }
  appended(*appended_info, batch->size());
  if (terms.acks == -1 && log_->high_watermark() <= appended_info->last_offset) {
    answer.error = co_await wait_for_high_watermark(appended_info->last_offset + 1, terms.deadline_us);
    if (answer.error != ErrorCode::none) co_return answer;
  }
  answer.base_offset = appended_info->first_offset.value();
  answer.log_append_time_ms = appended_info->log_append_time_ms;
  answer.log_start_offset = appended_info->log_start_offset.value();
  co_return answer;
}

task<ErrorCode> Partition::append_own(MutableByteView batch) {
  const auto self = shared_from_this();
  const auto info = co_await append_to_log(
      {.records = batch, .leader_epoch = LeaderEpoch(identity_.leader_epoch), .origin = storage::AppendOrigin::coordinator});
  if (!info) co_return info.error().code;
  appended(*info, batch.size());
  co_return co_await wait_for_high_watermark(info->last_offset + 1, INT64_MAX);
}

task<void> Partition::read(Offset offset, int32_t last_fetched_epoch, bool read_committed, uint64_t max_bytes,
                           bool at_least_one, FetchedPartition& into) {
  const auto self = shared_from_this();
  const std::shared_ptr<storage::Log> log = log_;
  auto& answer = into.answer;
  answer.high_watermark = log->high_watermark().value();
  answer.last_stable_offset = log->last_stable_offset().value();
  answer.log_start_offset = log->log_start_offset().value();
  answer.aborted_transactions.reset();
  if (last_fetched_epoch >= 0) {  // KIP-595: the reader's history may have parted from ours
    const auto end = log->end_offset_for_epoch(LeaderEpoch(last_fetched_epoch));
    if (!end || end->epoch.value() < last_fetched_epoch || end->end_offset < offset) {
      answer.diverging_epoch.epoch = end ? end->epoch.value() : -1;
      answer.diverging_epoch.end_offset = end ? end->end_offset.value() : -1;
      into.ends_wait = true;
      co_return;
    }
  }
  const auto isolation = read_committed ? storage::ReadIsolation::committed : storage::ReadIsolation::high_watermark;
  const auto limit = static_cast<uint32_t>(std::min<uint64_t>(max_bytes, INT32_MAX));
  auto read = co_await log->read(offset, limit, at_least_one, isolation);
  if (!read) {
    answer.error_code = static_cast<int16_t>(read.error().code);
    // Kafka tells nothing of a log beside an error.
    answer.high_watermark = answer.last_stable_offset = answer.log_start_offset = -1;
    into.ends_wait = true;
    co_return;
  }
  answer.high_watermark = read->high_watermark.value();
  answer.last_stable_offset = read->last_stable_offset.value();
  answer.log_start_offset = read->log_start_offset.value();
  if (read_committed) {
    answer.aborted_transactions.emplace();
    for (const storage::AbortedRange& aborted : read->aborted) {
      auto& entry = answer.aborted_transactions->emplace_back();
      entry.producer_id = aborted.producer_id.value();
      entry.first_offset = aborted.first_offset.value();
    }
  }
  if (!read->file || read->size_bytes == 0 || read->is_first_batch_incomplete) co_return;
  into.size_bytes = read->size_bytes;
  into.ranges.push_back({.file = std::move(read->file), .position = read->position, .size_bytes = read->size_bytes});
}

void Partition::add_watch(std::shared_ptr<FetchWatch> watch) {
  // Watches of fetches that have ended stay until now: drop them before the list grows.
  if (watches_.size() == watches_.capacity()) std::erase_if(watches_, [](const auto& held) { return held->is_over(); });
  watches_.push_back(std::move(watch));
}

void Partition::fire_watches() {
  if (watches_.empty()) return;
  for (const auto& watch : std::exchange(watches_, {})) watch->fire();
}

}  // namespace moldau::broker
