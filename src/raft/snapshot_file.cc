#include "raft/snapshot_file.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "raft/metadata_batch.h"

namespace moldau::raft {

namespace {

constexpr std::string_view suffix = ".checkpoint";
constexpr size_t offset_digits = 20;
constexpr size_t epoch_digits = 10;
// Kafka reads snapshots through a buffer of 8 MiB, into which each batch must fit.
constexpr size_t most_batch_bytes = 1024 * 1024;

template <class Number>
std::optional<Number> parse_digits(std::string_view digits) {
  Number value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::string snapshot_file_name(SnapshotId id) {
  return fmt::format("{:020}-{:010}{}", id.end_offset.value(), id.epoch.value(), suffix);
}

std::optional<SnapshotId> parse_snapshot_file_name(std::string_view name) {
  if (name.size() != offset_digits + 1 + epoch_digits + suffix.size() || !name.ends_with(suffix) ||
      name[offset_digits] != '-')
    return std::nullopt;
  const auto offset = parse_digits<int64_t>(name.substr(0, offset_digits));
  const auto epoch = parse_digits<int32_t>(name.substr(offset_digits + 1, epoch_digits));
  if (!offset || !epoch) return std::nullopt;
  return SnapshotId{Offset(*offset), LeaderEpoch(*epoch)};
}

Bytes write_snapshot(const Snapshot& snapshot, SnapshotId id, int64_t now_ms) {
  std::vector<ControlRecord> header;
  protocol::SnapshotHeaderRecord first;
  first.last_contained_log_timestamp = snapshot.last_contained_log_timestamp_ms;
  header.emplace_back(first);
  if (snapshot.kraft_version > 0) {
    protocol::KRaftVersionRecord version;
    version.kraft_version = snapshot.kraft_version;
    header.emplace_back(version);
    if (snapshot.voters) header.emplace_back(voters_record(*snapshot.voters));
  }
  Bytes bytes = write_control_batch(Offset(0), id.epoch, now_ms, header);
  Offset next(static_cast<int64_t>(header.size()));

  const std::span<const Bytes> records = snapshot.records;
  for (size_t begin = 0; begin < records.size();) {
    size_t end = begin;
    for (size_t size = 0; end < records.size() && (end == begin || size + records[end].size() < most_batch_bytes); ++end)
      size += records[end].size() + 16;
    const Bytes batch = write_data_batch(next, id.epoch, now_ms, records.subspan(begin, end - begin));
    bytes.insert(bytes.end(), batch.begin(), batch.end());
    next = next + static_cast<int64_t>(end - begin);
    begin = end;
  }

  const ControlRecord footer = protocol::SnapshotFooterRecord{};
  const Bytes last = write_control_batch(next, id.epoch, now_ms, std::span(&footer, 1));
  bytes.insert(bytes.end(), last.begin(), last.end());
  return bytes;
}

result<Snapshot, std::string> read_snapshot(ByteView bytes) {
  MOLDAU_TRY(BatchesRead read, read_batches(bytes));
  if (read.valid_bytes != bytes.size())
    return fail(fmt::format("the snapshot is cut off at position {} of {}", read.valid_bytes, bytes.size()));
  Snapshot snapshot;
  bool has_header = false;
  bool has_footer = false;
  for (MetadataBatch& batch : read.batches) {
    if (has_footer) return fail(std::string("the snapshot goes on after its footer"));
    for (ControlRecord& record : batch.control) {
      if (const auto* header = std::get_if<protocol::SnapshotHeaderRecord>(&record)) {
        snapshot.last_contained_log_timestamp_ms = header->last_contained_log_timestamp;
        has_header = true;
      } else if (std::holds_alternative<protocol::SnapshotFooterRecord>(record)) {
        has_footer = true;
      } else if (const auto* version = std::get_if<protocol::KRaftVersionRecord>(&record)) {
        snapshot.kraft_version = version->kraft_version;
      } else if (const auto* voters = std::get_if<protocol::VotersRecord>(&record)) {
        snapshot.voters = voters_of(*voters);
      }
    }
    if (!has_header) return fail(std::string("the snapshot does not begin with a header"));
    for (Bytes& value : batch.data) snapshot.records.push_back(std::move(value));
  }
  if (!has_footer) return fail(std::string("the snapshot has no footer: its writing broke off"));
  return snapshot;
}

}  // namespace moldau::raft
