#include "raft/quorum_of_one.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.h"
#include "protocol/error_code.h"

namespace moldau::raft {

namespace {

constexpr std::string_view metadata_topic = "__cluster_metadata";
constexpr int16_t highest_kraft_version = 1;

std::string joined(const std::vector<int32_t>& ids) {
  std::string text;
  for (const int32_t id : ids) text += fmt::format("{}{}", text.empty() ? "" : ", ", id);
  return text;
}

}  // namespace

result<QuorumOfOne, std::string> QuorumOfOne::open(QuorumOptions options, std::optional<QuorumState> state,
                                                   const Snapshot* snapshot, SnapshotId snapshot_id) {
  QuorumOfOne quorum(std::move(options));
  if (snapshot != nullptr) {
    quorum.kraft_version_ = snapshot->kraft_version;
    if (snapshot->voters) quorum.voters_ = *snapshot->voters;
    const bool is_beyond_start = snapshot_id.end_offset > Offset(0);
    quorum.kraft_version_in_log_ = is_beyond_start && snapshot->kraft_version > 0;
    quorum.voters_in_log_ = is_beyond_start && snapshot->voters.has_value();
    quorum.latest_snapshot_ = snapshot_id;
    quorum.log_end_offset_ = snapshot_id.end_offset;
    quorum.epoch_ = snapshot_id.epoch;
    quorum.last_timestamp_ms_ = snapshot->last_contained_log_timestamp_ms;
    if (is_beyond_start) quorum.epoch_starts_.push_back({snapshot_id.epoch, Offset(0)});
  }
  if (quorum.kraft_version_ > highest_kraft_version)
    return fail(fmt::format("the directory has kraft.version {}, but this release supports up to {}: use a newer Moldau",
                            quorum.kraft_version_, highest_kraft_version));
  if (state) {
    quorum.epoch_ = std::max(quorum.epoch_, LeaderEpoch(state->leader_epoch));
    const auto other = std::ranges::find_if(state->current_voters,
                                            [&](int32_t id) { return id != quorum.options_.node_id; });
    if (other != state->current_voters.end())
      return fail(fmt::format("the metadata quorum has the voters {}, but a node of Moldau leads a quorum of one: take "
                              "the others out of the quorum with Apache Kafka first",
                              joined(state->current_voters)));
    if (quorum.options_.static_voters.empty() && state->data_version == 0)
      quorum.options_.static_voters = state->current_voters;
  }
  for (const int32_t id : quorum.options_.static_voters)
    if (id != quorum.options_.node_id)
      return fail(fmt::format("controller.quorum.voters names {}, but a node of Moldau leads a quorum of one: name only "
                              "node {} there",
                              joined(quorum.options_.static_voters), quorum.options_.node_id));
  return quorum;
}

result<void, std::string> QuorumOfOne::apply(const MetadataBatch& batch) {
  const bool is_in_snapshot = batch.next_offset() <= latest_snapshot_.end_offset;
  if (!is_in_snapshot && batch.base_offset != log_end_offset_)
    return fail(fmt::format("the metadata log has a batch at offset {} where {} was expected", batch.base_offset,
                            log_end_offset_));
  const LeaderEpoch last_epoch = epoch_starts_.empty() ? LeaderEpoch(0) : epoch_starts_.back().epoch;
  if (!is_in_snapshot && batch.epoch < last_epoch)
    return fail(fmt::format("the metadata log has epoch {} at offset {}, after epoch {}", batch.epoch,
                            batch.base_offset, last_epoch));
  if (is_in_snapshot) return {};

  if (epoch_starts_.empty() || batch.epoch > last_epoch) epoch_starts_.push_back({batch.epoch, batch.base_offset});
  epoch_ = std::max(epoch_, batch.epoch);
  for (const ControlRecord& record : batch.control) {
    if (const auto* version = std::get_if<protocol::KRaftVersionRecord>(&record)) {
      if (version->kraft_version > highest_kraft_version)
        return fail(fmt::format("the metadata log has kraft.version {}, but this release supports up to {}: use a newer "
                                "Moldau",
                                version->kraft_version, highest_kraft_version));
      kraft_version_ = version->kraft_version;
      kraft_version_in_log_ = true;
    } else if (const auto* voters = std::get_if<protocol::VotersRecord>(&record)) {
      voters_ = voters_of(*voters);
      voters_in_log_ = true;
    }
  }
  log_end_offset_ = batch.next_offset();
  last_timestamp_ms_ = std::max(last_timestamp_ms_, batch.timestamp_ms);
  bytes_since_snapshot_ += batch.size_bytes;
  return {};
}

result<void, std::string> QuorumOfOne::check_voters() const {
  if (kraft_version_ == 0) {
    if (options_.static_voters.empty())
      return fail(fmt::format("the directory was formatted for a quorum of static voters: set controller.quorum.voters="
                              "{}@HOST:PORT, or format an empty directory",
                              options_.node_id));
    return {};
  }
  if (voters_.empty())
    return fail(std::string("the directory was formatted without a voter: format an empty directory, with --standalone if "
                            "by kafka-storage"));
  if (voters_.size() > 1) {
    std::vector<int32_t> ids;
    for (const Voter& voter : voters_) ids.push_back(voter.id);
    return fail(fmt::format("the metadata quorum has the voters {}, but a node of Moldau leads a quorum of one: remove "
                            "the others first (kafka-metadata-quorum remove-controller)",
                            joined(ids)));
  }
  const Voter& voter = voters_.front();
  if (voter.id != options_.node_id)
    return fail(fmt::format("the metadata quorum's voter is node {}, but node.id is {}", voter.id, options_.node_id));
  if (!voter.directory_id.is_zero() && voter.directory_id != options_.directory_id)
    return fail(fmt::format("the metadata quorum's voter has the directory {}, but metadata.log.dir has {}: name the "
                            "directory that holds the quorum's log",
                            voter.directory_id, options_.directory_id));
  return {};
}

result<QuorumOfOne::Leadership, std::string> QuorumOfOne::start(int64_t now_ms) {
  MOLDAU_ASSERT(!is_leader_);
  MOLDAU_CHECK(check_voters());
  epoch_ = epoch_ + 1;
  is_leader_ = true;
  if (!snapshot_time_ms_) snapshot_time_ms_ = now_ms;

  std::vector<ControlRecord> records;
  protocol::LeaderChangeMessage change;
  change.leader_id = options_.node_id;
  change.voters.push_back({options_.node_id, {}, {}});
  change.granting_voters.push_back({options_.node_id, {}, {}});
  records.emplace_back(std::move(change));
  if (kraft_version_ >= 1) {
    if (!kraft_version_in_log_) {
      protocol::KRaftVersionRecord version;
      version.kraft_version = kraft_version_;
      records.emplace_back(version);
    }
    const bool moved = !options_.endpoints.empty() && voters_.front().endpoints != options_.endpoints;
    if (moved) voters_.front().endpoints = options_.endpoints;
    if (!voters_in_log_ || moved) records.emplace_back(voters_record(voters_));
    kraft_version_in_log_ = true;
    voters_in_log_ = true;
  }

  QuorumState state;
  state.leader_id = options_.node_id;
  state.leader_epoch = epoch_.value();
  state.data_version = kraft_version_ >= 1 ? int16_t{1} : int16_t{0};
  if (state.data_version == 0) state.current_voters = {options_.node_id};

  Leadership leadership;
  leadership.quorum_state = write_quorum_state(state);
  epoch_starts_.push_back({epoch_, log_end_offset_});
  leadership.batch = appended(write_control_batch(log_end_offset_, epoch_, now_ms, records),
                              static_cast<int32_t>(records.size()), now_ms);
  return leadership;
}

Bytes QuorumOfOne::appended(Bytes batch, int32_t count, int64_t now_ms) {
  log_end_offset_ = log_end_offset_ + count;
  last_timestamp_ms_ = std::max(last_timestamp_ms_, now_ms);
  bytes_since_snapshot_ += static_cast<int64_t>(batch.size());
  return batch;
}

Bytes QuorumOfOne::append(std::span<const Bytes> values, int64_t now_ms) {
  MOLDAU_ASSERT(is_leader_ && !values.empty());
  return appended(write_data_batch(log_end_offset_, epoch_, now_ms, values), static_cast<int32_t>(values.size()), now_ms);
}

void QuorumOfOne::flushed(Offset end_offset) {
  MOLDAU_ASSERT(end_offset <= log_end_offset_);
  high_watermark_ = std::max(high_watermark_, end_offset);
}

bool QuorumOfOne::wants_snapshot(int64_t now_ms) const {
  if (high_watermark_ <= latest_snapshot_.end_offset) return false;
  if (bytes_since_snapshot_ >= options_.max_bytes_between_snapshots) return true;
  return options_.max_snapshot_interval_ms > 0 && snapshot_time_ms_ &&
         now_ms - *snapshot_time_ms_ >= options_.max_snapshot_interval_ms;
}

SnapshotId QuorumOfOne::snapshot_id(Offset end_offset) const {
  MOLDAU_ASSERT(end_offset > Offset(0) && end_offset <= high_watermark_);
  LeaderEpoch epoch{0};
  for (const EpochStart& start : epoch_starts_)
    if (start.offset < end_offset) epoch = start.epoch;
  return {end_offset, epoch};
}

Bytes QuorumOfOne::snapshot_bytes(SnapshotId id, std::vector<Bytes> records, int64_t last_timestamp_ms,
                                  int64_t now_ms) const {
  Snapshot snapshot;
  snapshot.last_contained_log_timestamp_ms = last_timestamp_ms;
  snapshot.kraft_version = kraft_version_;
  if (kraft_version_ >= 1) snapshot.voters = voters_;
  snapshot.records = std::move(records);
  return write_snapshot(snapshot, id, now_ms);
}

void QuorumOfOne::snapshot_written(SnapshotId id, int64_t now_ms) {
  MOLDAU_ASSERT(id.end_offset >= latest_snapshot_.end_offset);
  latest_snapshot_ = id;
  bytes_since_snapshot_ = 0;
  snapshot_time_ms_ = now_ms;
}

protocol::DescribeQuorumResponse QuorumOfOne::describe(const protocol::DescribeQuorumRequest& request,
                                                       int64_t now_ms) const {
  protocol::DescribeQuorumResponse response;
  const bool is_ours = request.topics.size() == 1 && request.topics[0].topic_name == metadata_topic &&
                       request.topics[0].partitions.size() == 1 && request.topics[0].partitions[0].partition_index == 0;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.topic_name = topic.topic_name;
    for (const auto& partition : topic.partitions) {
      auto& one = answered.partitions.emplace_back();
      one.partition_index = partition.partition_index;
      if (!is_ours) {
        constexpr auto error = protocol::ErrorCode::unknown_topic_or_partition;
        one.error_code = static_cast<int16_t>(error);
        one.error_message = std::string(protocol::error_message(error));
        continue;
      }
      one.leader_id = options_.node_id;
      one.leader_epoch = epoch_.value();
      one.high_watermark = high_watermark_.value();
      auto& self = one.current_voters.emplace_back();
      self.replica_id = options_.node_id;
      if (kraft_version_ >= 1) self.replica_directory_id = options_.directory_id;
      self.log_end_offset = log_end_offset_.value();
      self.last_fetch_timestamp = now_ms;
      self.last_caught_up_timestamp = now_ms;
    }
  }
  if (!is_ours) return response;
  auto& node = response.nodes.emplace_back();
  node.node_id = options_.node_id;
  const auto& endpoints = !voters_.empty() && kraft_version_ >= 1 ? voters_.front().endpoints : options_.endpoints;
  for (const VoterEndpoint& endpoint : endpoints) node.listeners.push_back({endpoint.name, endpoint.host, endpoint.port, {}});
  return response;
}

Cleaning clean_metadata_log(std::vector<SnapshotFound> snapshots, int64_t log_size_bytes, Offset log_start,
                            int64_t now_ms, int64_t retention_bytes, int64_t retention_ms) {
  std::ranges::sort(snapshots, {}, &SnapshotFound::id);
  int64_t total_bytes = log_size_bytes;
  for (const SnapshotFound& one : snapshots) total_bytes += one.size_bytes;
  Cleaning cleaning;
  for (size_t i = 0; i + 1 < snapshots.size(); ++i) {
    const SnapshotFound& one = snapshots[i];
    const bool is_too_much = retention_bytes >= 0 && total_bytes > retention_bytes;
    // 0-0 holds only the first voters; its time says nothing of records.
    const bool is_too_old = retention_ms >= 0 && now_ms - one.last_contained_timestamp_ms > retention_ms;
    if (!is_too_much && !is_too_old) break;
    cleaning.snapshots_to_delete.push_back(one.id);
    total_bytes -= one.size_bytes;
    if (snapshots[i + 1].id.end_offset > log_start) cleaning.new_log_start = snapshots[i + 1].id.end_offset;
  }
  return cleaning;
}

}  // namespace moldau::raft
