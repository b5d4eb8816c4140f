#include "storage/stopped_partition.h"

#include <algorithm>

#include "storage/file_names.h"
#include "storage/prepared_append.h"
#include "storage/producer_snapshot.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::FilePtr;
using runtime::task;

StoppedPartition::StoppedPartition(runtime::Environment& environment, std::string directory, SalvageProgress progress)
    : environment_(environment),
      open_files_(environment.files(), 16),
      directory_(std::move(directory)),
      progress_(std::move(progress)),
      producers_(ProducerStateConfig{}) {}

task<log_result<>> StoppedPartition::open() {
  auto listed = co_await environment_.files().list(directory_);
  if (!listed) co_return fail(Error(listed.error()));
  std::vector<Offset> with_transactions;
  std::vector<Offset> snapshots;
  for (const runtime::DirectoryEntry& entry : *listed) {
    const auto name = parse_file_name(entry.name);
    if (entry.is_directory || !name || name->stage != FileStage::live) continue;
    if (name->kind == FileKind::transaction_index) with_transactions.push_back(name->base_offset);
    if (name->kind == FileKind::producer_snapshot) snapshots.push_back(name->base_offset);
    if (name->kind == FileKind::log)
      segments_.push_back(std::make_shared<Segment>(open_files_, directory_, name->base_offset, 0, 0, false));
  }
  if (segments_.empty())
    co_return fail(Error(ErrorCode::invalid_request, fmt::format("there is no segment in {}", directory_)));
  std::ranges::sort(segments_, {}, [](const SegmentPtr& segment) { return segment->base_offset(); });
  for (const SegmentPtr& segment : segments_) {
    MOLDAU_CO_CHECK(co_await segment->open_existing());
    if (std::ranges::find(with_transactions, segment->base_offset()) != with_transactions.end())
      segment->transactions().set_may_exist();
  }
  co_return co_await load_producers(snapshots);
}

task<log_result<>> StoppedPartition::load_producers(const std::vector<Offset>& snapshots) {
  const Offset base = segments_.front()->base_offset();
  if (std::ranges::find(snapshots, base) == snapshots.end()) co_return log_result<>{};
  const auto bytes = co_await runtime::read_file(environment_.files(), file_path(directory_, base, FileKind::producer_snapshot));
  if (!bytes) co_return log_result<>{};
  if (const auto decoded = decode_snapshot(*bytes))
    for (const SnapshotProducer& producer : *decoded) producers_.load(producer.id, producer.entry);
  co_return log_result<>{};
}

task<log_result<Examination>> StoppedPartition::examine(size_t n, std::vector<QuarantinedRange>& damage) {
  const SegmentPtr& segment = segments_[n];
  const bool is_last = n + 1 == segments_.size();
  const Offset limit = is_last ? segment->base_offset() + INT32_MAX : segments_[n + 1]->base_offset();
  ExaminationTerms terms;
  terms.indexes_have_room = is_last;
  terms.throttle = [this, &segment](uint64_t bytes) {
    bytes_ += bytes;
    if (progress_) progress_(segment->path(FileKind::log), bytes_);
    return runtime::ready();
  };
  MOLDAU_CO_TRY(Examination found, co_await examine_segment(environment_, segment, limit, false, terms));
  // With what the last segment lost at its end nobody knows how far it went.
  if (is_last)
    for (DamagedRange& range : found.damage)
      if (range.end_offset == limit) range.end_offset = Offset(INT64_MAX);
  segment->trust().judge(found.size_bytes, found.damage);
  for (const DamagedRange& range : found.damage)
    damage.push_back({range.first_offset, range.end_offset, segment->path(FileKind::log), range.begin, range.end - range.begin,
                      range.reason});
  co_return found;
}

task<log_result<std::vector<AbortedTransaction>>> StoppedPartition::aborted_in(SegmentPtr segment) {
  std::vector<AbortedTransaction> aborted;
  MOLDAU_CO_TRY(FilePtr file, co_await segment->log_file());
  Bytes control;
  const uint32_t size = segment->size_bytes();
  for (uint32_t begin = 0; begin < size;) {
    const uint32_t end = segment->trust().sound_end(begin, size);
    BatchScanner headers(file, begin, end);
    for (ScanStep step = headers.next(); step == ScanStep::batch || step == ScanStep::need_bytes; step = headers.next()) {
      if (step == ScanStep::need_bytes) {
        MOLDAU_CO_CHECK(co_await headers.fill());
        continue;
      }
      const protocol::RecordBatchHeader& batch = headers.header();
      if (!batch.has_producer_id()) continue;
      if (batch.is_control()) {
        control.resize(batch.size_bytes());
        MOLDAU_CO_TRY(const size_t got, co_await file->read_at(headers.position(), control));
        if (got < control.size()) break;
      }
      ProducerAppend producer = producers_.prepare(batch.producer_id, AppendOrigin::replication);
      const auto completed = feed_producer(producer, batch, control, -1);
      if (!completed) continue;  // behind a hole in the log a producer may do what it could not
      producers_.apply(producer);
      if (!*completed) continue;
      if ((*completed)->is_aborted)
        aborted.push_back({(*completed)->producer_id, (*completed)->first_offset, (*completed)->last_offset,
                           producers_.last_stable_offset(**completed)});
      producers_.complete(**completed);
    }
    begin = segment->trust().damage_end(end);
  }
  co_return aborted;
}

task<log_result<>> write_transactions(Segment& segment, std::vector<AbortedTransaction> aborted) {
  std::ranges::sort(aborted, {}, &AbortedTransaction::last_offset);
  MOLDAU_CO_CHECK(co_await segment.transactions().reset(segment.path(FileKind::transaction_index)));
  for (const AbortedTransaction& transaction : aborted)
    MOLDAU_CO_CHECK(co_await segment.transactions().append(segment.path(FileKind::transaction_index), transaction));
  MOLDAU_CO_TRY(const FilePtr file, co_await segment.transactions().settle(segment.path(FileKind::transaction_index)));
  if (file != nullptr) MOLDAU_CO_CHECK(co_await file->sync());
  co_return log_result<>{};
}

task<log_result<>> sync_segment(Segment& segment) {
  MOLDAU_CO_TRY(const std::vector<FilePtr> unsynced, co_await segment.settle(LogConfig{}));
  for (const FilePtr& file : unsynced) MOLDAU_CO_CHECK(co_await file->sync());
  co_return log_result<>{};
}

}  // namespace moldau::storage
