// One partition that this node leads: its log, its high watermark, and who waits for it.
//
// Held by the BrokerShard that is its home, used on that shard only. A thin layer: what the log accepts is storage's
// business, here it is translated to Kafka's answers and waiting fetches are woken. The only replica is this one, so the
// high watermark follows the log's end, or with moldau.durable.acks what of it is on stable storage: nobody reads, and
// nobody is told of, what a power cut could take back. A request that waits holds the partition, also when it is dropped
// meanwhile.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "broker/broker_shard.h"
#include "broker/fetch_watch.h"
#include "protocol/error_code.h"
#include "storage/group_commit.h"
#include "storage/log.h"

namespace moldau::broker {

struct FetchedPartition;

struct AppendTerms {
  int16_t acks = -1;
  int16_t produce_version = 0;
  int64_t deadline_us = INT64_MAX;  // for acks = -1, on the shard's clock
};

struct AppendAnswer {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::string message;
  int64_t base_offset = -1;
  int64_t log_append_time_ms = -1;
  int64_t log_start_offset = -1;
  std::vector<storage::RecordError> record_errors;
};

class Partition final : public storage::CommitMember, public std::enable_shared_from_this<Partition> {
 public:
  struct Identity {
    std::string topic;
    Uuid topic_id;
    int32_t index = 0;
    int32_t leader_epoch = 0;
    int32_t min_insync_replicas = 1;
  };
  Partition(Identity identity, std::shared_ptr<storage::Log> log, PartitionMetrics metrics);
  ~Partition() override;

  [[nodiscard]] const std::string& topic() const { return identity_.topic; }
  [[nodiscard]] const Uuid& topic_id() const { return identity_.topic_id; }
  [[nodiscard]] int32_t index() const { return identity_.index; }
  [[nodiscard]] int32_t leader_epoch() const { return identity_.leader_epoch; }
  void set_leader_epoch(int32_t epoch) { identity_.leader_epoch = epoch; }
  void set_min_insync_replicas(int32_t replicas) { identity_.min_insync_replicas = replicas; }
  // A move to another directory puts another log in the place of this one: whoever waits in between holds what he uses.
  [[nodiscard]] storage::Log& log() { return *log_; }
  [[nodiscard]] const std::shared_ptr<storage::Log>& shared_log() const { return log_; }
  [[nodiscard]] std::shared_ptr<storage::Log> log_to_commit() override { return log_; }
  // For a move: whoever wants to append waits until this is given back, and then goes on in the order of coming, for the
  // batches of one producer must not overtake each other on their way to another log.
  [[nodiscard]] runtime::task<runtime::Mutex::Held> hold_appends() { return entering_.lock(); }
  // The copy in another directory takes the log's place; to be called by storage::promote_future.
  void take_log(std::shared_ptr<storage::Log> log, storage::GroupCommit* commits);

  // Acknowledges only what is on stable storage, by `commits` (of the log's directory); null: as soon as it is appended.
  void set_commits(storage::GroupCommit* commits);
  [[nodiscard]] bool has_commits() const { return commits_ != nullptr; }
  // Has the high watermark follow what may be acknowledged: with flush.messages all below `appended_end`, the end of an
  // append that has waited for its flush.
  void advance(Offset appended_end);
  void on_commit(const storage::log_result<>& outcome) override;
  // It is led here no longer: whoever waits is told.
  void retire();
  // The directory of its log has failed: likewise.
  void directory_failed();

  // FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH for a client whose idea of the leader differs (KIP-320); -1 is none.
  [[nodiscard]] protocol::ErrorCode check_leader_epoch(int32_t of_client) const;

  // Appends a client's records. Returns once they are in the log, with acks = -1 once they are below the high watermark.
  // `records` are changed in place (offset, epoch, time) and must stay until it has ended.
  runtime::task<AppendAnswer> append(MutableByteView records, AppendTerms terms);
  // Appends a batch of this broker's own, as coordinators do.
  runtime::task<protocol::ErrorCode> append_own(MutableByteView batch);
  // Moves the log start (DeleteRecords).
  runtime::task<storage::log_result<bool>> delete_records_before(Offset offset);

  // Fills in the answer to a fetch from `offset`: ranges of at most `max_bytes`, or one whole batch if
  // `at_least_one` and it is larger.
  runtime::task<void> read(Offset offset, int32_t last_fetched_epoch, bool read_committed, uint64_t max_bytes,
                           bool at_least_one, FetchedPartition& into);
  // Has `watch` fire when there is more to read than now, or when reading would end otherwise.
  void add_watch(std::shared_ptr<FetchWatch> watch);
  void fire_watches();

 private:
  void appended(const storage::AppendInfo& info, size_t size_bytes);
  runtime::task<storage::log_result<storage::AppendInfo>> append_to_log(storage::LeaderAppend append);
  // Returns when all below `end` is; the error that a client gets otherwise.
  runtime::task<protocol::ErrorCode> wait_for_high_watermark(Offset end, int64_t deadline_us);

  Identity identity_;
  std::shared_ptr<storage::Log> log_;
  PartitionMetrics metrics_;
  std::vector<std::shared_ptr<FetchWatch>> watches_;
  storage::GroupCommit* commits_ = nullptr;  // of the log's directory
  bool is_retired_ = false;
  runtime::Mutex entering_;  // held, and gone through, only while a move puts another log in place
  runtime::Signal advanced_;  // the high watermark, or nothing can advance it any more
};

// Topics that only brokers write: offsets of groups, states of transactions and of share groups.
[[nodiscard]] bool is_internal_topic(std::string_view topic);

}  // namespace moldau::broker
