#include "broker/quorum_host.h"

#include "base/log.h"
#include "broker/apply_metadata.h"
#include "broker/log_bytes.h"
#include "metadata/metadata_record.h"
#include "metadata/snapshot_records.h"
#include "raft/metadata_batch.h"
#include "raft/snapshot_file.h"
#include "storage/damage_check.h"

namespace moldau::broker {

using runtime::task;
using Outcome = result<void, std::string>;

static constexpr uint32_t load_read_bytes = 1 << 20;
static constexpr size_t max_open_files = 16;  // of the metadata log

namespace {

struct NewestSnapshot {
  raft::SnapshotId id;
  std::optional<raft::Snapshot> snapshot;
};

task<result<NewestSnapshot, std::string>> read_newest_snapshot(runtime::FileSystem& files, const std::string& directory) {
  NewestSnapshot newest;
  const auto entries = co_await files.list(directory);
  if (!entries) co_return fail(entries.error().message());
  std::string name;
  for (const runtime::DirectoryEntry& entry : *entries) {
    const auto id = raft::parse_snapshot_file_name(entry.name);
    if (!id || (!name.empty() && *id < newest.id)) continue;
    newest.id = *id;
    name = entry.name;
  }
  if (name.empty()) co_return newest;
  const auto bytes = co_await runtime::read_file(files, directory + "/" + name);
  if (!bytes) co_return fail(bytes.error().message());
  auto snapshot = raft::read_snapshot(*bytes);
  if (!snapshot)
    co_return fail(fmt::format("the newest snapshot of the metadata, {}/{}, cannot be read: {}. Nothing was changed. Put it back from a copy; "
                               "where the log behind an older snapshot is still there, moving this one away begins with that",
                               directory, name, snapshot.error()));
  newest.snapshot = std::move(*snapshot);
  co_return newest;
}

result<metadata::MetadataRecords, std::string> decode_all(const std::vector<Bytes>& values) {
  metadata::MetadataRecords records;
  records.reserve(values.size());
  for (const Bytes& value : values) {
    MOLDAU_TRY(metadata::MetadataRecord record, metadata::decode_record(value));
    records.push_back(std::move(record));
  }
  return records;
}

result<metadata::MetadataImagePtr, std::string> image_of_snapshot(const NewestSnapshot& newest) {
  metadata::MetadataRecords records;
  if (newest.snapshot) {
    MOLDAU_TRY(records, decode_all(newest.snapshot->records));
  }
  if (newest.id.end_offset.value() == 0 && records.empty()) return std::make_shared<const metadata::MetadataImage>();
  return metadata::image_of(records, newest.id.end_offset - 1, newest.id.epoch,
                            newest.snapshot ? newest.snapshot->last_contained_log_timestamp_ms : -1);
}

task<result<std::optional<raft::QuorumState>, std::string>> read_state(runtime::FileSystem& files, const std::string& path) {
  const auto bytes = co_await runtime::read_file(files, path);
  if (!bytes && bytes.error().error_number == ENOENT) co_return std::optional<raft::QuorumState>();
  if (!bytes) co_return fail(bytes.error().message());
  auto state = raft::read_quorum_state(as_text(*bytes));
  if (!state)
    co_return fail(fmt::format("{} cannot be read: {}. Nothing was changed. Put it back from a copy; a node that is alone may move it away, for "
                               "the metadata log holds the epoch too",
                               path, state.error()));
  co_return std::optional<raft::QuorumState>(std::move(*state));
}

}  // namespace

QuorumHost::QuorumHost(Broker& broker, MetadataLog log, QuorumHostOptions options, raft::QuorumOfOne quorum,
                       metadata::MetadataImagePtr start)
    : broker_(broker),
      open_files_(std::move(log.files)),
      log_(std::move(log.log)),
      options_(std::move(options)),
      quorum_(std::move(quorum)),
      controller_(options_.controller, std::move(start)) {}

task<result<QuorumHost::MetadataLog, std::string>> QuorumHost::open_log(runtime::FileSystem& files, storage::LogOptions options) {
  MetadataLog opened{std::make_unique<storage::OpenFiles>(files, max_open_files), nullptr};
  options.open_files = opened.files.get();
  const auto checked = co_await storage::check_for_damage(files, options.directory);
  if (!checked) co_return fail(fmt::format("the metadata log: {}", checked.error().message));
  storage::LoadReport report;
  auto log = co_await storage::Log::open(std::move(options), &report);
  if (!log) co_return fail(fmt::format("the metadata log: {}", log.error().message));
  if (report.bytes_cut > 0) log_warning("the metadata log: cut a torn tail of {} bytes", report.bytes_cut);
  opened.log = std::move(*log);
  co_return opened;
}

task<result<std::unique_ptr<QuorumHost>, std::string>> QuorumHost::open(Broker& broker, QuorumHostOptions options) {
  runtime::FileSystem& files = broker.environment.files();
  MOLDAU_CO_TRY(MetadataLog log, co_await open_log(files, options.log));
  MOLDAU_CO_TRY(const NewestSnapshot newest, co_await read_newest_snapshot(files, options.log.directory));
  MOLDAU_CO_TRY(std::optional<raft::QuorumState> state,
                co_await read_state(files, options.log.directory + "/" + std::string(raft::quorum_state_file_name)));
  MOLDAU_CO_TRY(raft::QuorumOfOne quorum,
                raft::QuorumOfOne::open(options.quorum, std::move(state), newest.snapshot ? &*newest.snapshot : nullptr, newest.id));
  MOLDAU_CO_TRY(metadata::MetadataImagePtr image, image_of_snapshot(newest));
  std::unique_ptr<QuorumHost> host(
      new QuorumHost(broker, std::move(log), std::move(options), std::move(quorum), std::move(image)));
  host->controller_.set_kraft_version(host->quorum_.kraft_version());
  MOLDAU_CO_CHECK(co_await host->load());
  co_return host;
}

// What lives on the quorum's shard is touched on no other.
void QuorumHost::assert_on_own_shard() const {
  MOLDAU_ASSERT(runtime::Shard::current_or_null() == &broker_.quorum_shard());
}

task<Outcome> QuorumHost::load() {
  assert_on_own_shard();
  Offset next = std::max(log_->log_start_offset(), quorum_.log_end_offset());
  Bytes buffer;
  while (next < log_->log_end_offset()) {
    const auto read = co_await read_log_bytes(*log_, next, load_read_bytes, buffer);
    if (!read) co_return fail(read.error().message);
    MOLDAU_CO_TRY(const raft::BatchesRead found, raft::read_batches(buffer));
    const Offset before = next;
    for (const raft::MetadataBatch& batch : found.batches) {
      if (batch.next_offset() <= next) continue;  // the first batch may begin before
      MOLDAU_CO_CHECK(quorum_.apply(batch));
      MOLDAU_CO_CHECK(replay(batch));
      next = batch.next_offset();
    }
    if (next == before) co_return fail(fmt::format("the metadata log ends at offset {} in the middle of a batch", next));
  }
  quorum_.flushed(next);
  co_return Outcome{};
}

Outcome QuorumHost::replay(const raft::MetadataBatch& batch) {
  controller_.set_kraft_version(quorum_.kraft_version());
  if (batch.is_control) return {};
  MOLDAU_TRY(const metadata::MetadataRecords records, decode_all(batch.data));
  MOLDAU_TRY(auto published, controller_.replay(records, batch.base_offset, batch.epoch, batch.timestamp_ms));
  if (!published) return {};
  if (unpublished_) published->changes = metadata::merged(std::move(unpublished_->changes), published->changes);
  unpublished_ = std::move(published);
  return {};
}

task<Outcome> QuorumHost::lead() {
  assert_on_own_shard();
  const runtime::Mutex::Held held = co_await changing_.lock();
  MOLDAU_CO_TRY(raft::QuorumOfOne::Leadership leadership, quorum_.start(broker_.wall_clock_ms()));
  const std::string path = options_.log.directory + "/" + std::string(raft::quorum_state_file_name);
  const auto written = co_await runtime::write_file_atomically(broker_.environment.files(), path,
                                                               to_bytes(leadership.quorum_state));
  if (!written) co_return fail(written.error().message());
  MOLDAU_CO_CHECK(co_await append_and_flush(std::move(leadership.batch)));
  controller_.set_kraft_version(quorum_.kraft_version());
  metadata::MetadataRecords records = controller_.activate(options_.bootstrap);
  if (!records.empty() && !co_await commit(std::move(records))) co_return fail(std::string("the metadata log cannot be written"));
  co_return Outcome{};
}

controller::RequestContext QuorumHost::request_context(int16_t version) const {
  return {.version = version,
          .now_ms = runtime::Shard::current().now_us() / 1000,
          .next_offset = quorum_.log_end_offset()};
}

task<Outcome> QuorumHost::append_and_flush(Bytes batch) {
  const auto appended = co_await log_->append_as_follower(batch, quorum_.epoch());
  if (!appended) {
    // A full disk leaves the log as it was, and the next change may find room.
    if (!log_->is_offline() && log_->log_end_offset() == quorum_.high_watermark()) quorum_.forget_unflushed();
    co_return fail(appended.error().message);
  }
  const auto flushed = co_await log_->flush();
  if (!flushed) {
    // Nor did the indexes find room: what was appended goes again, and is nobody's.
    if (!log_->is_offline() && co_await log_->truncate_to(quorum_.high_watermark())) quorum_.forget_unflushed();
    co_return fail(flushed.error().message);
  }
  quorum_.flushed(quorum_.log_end_offset());
  log_->update_high_watermark(quorum_.high_watermark());
  co_return Outcome{};
}

task<bool> QuorumHost::commit(metadata::MetadataRecords records) {
  assert_on_own_shard();
  if (failed_) co_return false;
  std::vector<Bytes> values;
  values.reserve(records.size());
  for (const metadata::MetadataRecord& record : records) values.push_back(metadata::encode_record(record));
  const Offset first_offset = quorum_.log_end_offset();
  const int64_t now_ms = broker_.wall_clock_ms();
  Bytes batch = quorum_.append(values, now_ms);
  if (const Outcome written = co_await append_and_flush(std::move(batch)); !written) {
    failed_ = quorum_.log_end_offset() != quorum_.high_watermark();
    if (failed_)
      log_error("the metadata log takes no more changes until the node is restarted: {}", written.error());
    else
      log_warning("the metadata log did not take a change: {}", written.error());
    co_return false;
  }
  auto published = controller_.replay(records, first_offset, quorum_.epoch(), now_ms);
  MOLDAU_ASSERT_MSG(published.has_value(), "the controller made a record that it cannot replay");
  if (!*published) co_return true;
  if (publishing_) {
    co_await publish(std::move(**published));
  } else {
    if (unpublished_) (*published)->changes = metadata::merged(std::move(unpublished_->changes), (*published)->changes);
    unpublished_ = std::move(*published);
  }
  co_return true;
}

task<void> QuorumHost::publish_to_shards() {
  assert_on_own_shard();
  const runtime::Mutex::Held held = co_await changing_.lock();
  MOLDAU_ASSERT(!publishing_);
  publishing_ = true;
  metadata::PublishedMetadata first{controller_.image(), {}};
  for (const auto& [id, topic] : controller_.image()->topics_by_id) first.changes.topics[id].is_new = true;
  unpublished_.reset();
  co_await publish(std::move(first));
}

task<void> QuorumHost::publish(metadata::PublishedMetadata published) {
  auto shared = std::make_shared<const metadata::PublishedMetadata>(std::move(published));
  co_await apply_metadata(broker_, std::move(shared));
}

task<Outcome> QuorumHost::write_snapshot() {
  const metadata::MetadataImagePtr image = controller_.image();
  const raft::SnapshotId id = quorum_.snapshot_id(quorum_.high_watermark());
  std::vector<Bytes> values;
  for (const metadata::MetadataRecord& record : metadata::snapshot_records(*image)) values.push_back(metadata::encode_record(record));
  const int64_t now_ms = broker_.wall_clock_ms();
  Bytes bytes = quorum_.snapshot_bytes(id, std::move(values), image->timestamp_ms, now_ms);
  const size_t size_bytes = bytes.size();
  const std::string path = options_.log.directory + "/" + raft::snapshot_file_name(id);
  const auto written = co_await runtime::write_file_atomically(broker_.environment.files(), path, std::move(bytes));
  if (!written) co_return fail(written.error().message());
  quorum_.snapshot_written(id, now_ms);
  log_info("wrote a snapshot of the metadata at offset {}: {} bytes", id.end_offset, size_bytes);
  co_return Outcome{};
}

task<void> QuorumHost::maintain() {
  assert_on_own_shard();
  const runtime::Mutex::Held held = co_await changing_.lock();
  if (failed_ || !quorum_.wants_snapshot(broker_.wall_clock_ms())) co_return;
  if (const Outcome written = co_await write_snapshot(); !written)
    log_warning("cannot write a snapshot of the metadata; the log is kept: {}", written.error());
}

task<void> QuorumHost::stop() {
  assert_on_own_shard();
  const runtime::Mutex::Held held = co_await changing_.lock();
  failed_ = true;
  if (log_->is_offline()) {
    co_await log_->abandon();
  } else if (const auto closed = co_await log_->close(); !closed) {
    log_error("{}", closed.error().message);
  }
}

}  // namespace moldau::broker
