// ShardCleaner: compaction as one shard sees it. It knows the checkpoints of its partitions, says which of its logs is
// filthiest, and runs rounds on them when the cleaner (broker/cleaner.h) asks.
//
// Owned by the Cleaner, used on its shard. A partition that cannot be cleaned is set aside with its reason until the node
// starts again or the partition goes; the others go on. Kafka: LogCleanerManager.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "broker/broker_shard.h"
#include "broker/io_throttle.h"
#include "runtime/signal.h"
#include "storage/checkpoints.h"
#include "storage/compaction/cleanable_log.h"

namespace moldau::broker {

class ShardCleaner {
 public:
  ShardCleaner(BrokerShard& shard, IoThrottle& throttle);

  // Takes the checkpoints of what is open now from the directories; partitions that come later have none.
  void load_checkpoints();
  struct Checkpoint {
    std::string log_dir;
    storage::PartitionOffset offset;
  };
  // Of the partitions that are here.
  [[nodiscard]] std::vector<Checkpoint> checkpoints() const;

  struct Candidate {
    PartitionKey key;
    storage::CleaningRange range;
    double dirty_ratio = 0;
  };
  struct Survey {
    std::optional<Candidate> filthiest;  // of those that are due
    double max_dirty_ratio = 0;          // of all
    int64_t max_delay_ms = 0;            // beyond max.compaction.lag.ms
  };
  // Measures every compacted log that no round runs on.
  runtime::task<Survey> survey(int64_t now_ms);

  // Keeps the log for a round, which must follow. False: it is kept already, or the partition went.
  [[nodiscard]] bool reserve(PartitionKey key);
  // Runs the round. False: it failed.
  runtime::task<bool> clean(Candidate candidate, storage::CleaningTerms terms);
  // Ends a round on a partition and lets none begin until resume(): while it is copied to another directory, for a copy of
  // what was compacted in between could bring back what was deleted.
  runtime::task<void> pause(PartitionKey key);
  void resume(PartitionKey key);
  // Ends a round on a partition that is about to be closed; it must be out of the shard's partitions already.
  runtime::task<void> release(PartitionKey key);
  // Ends all rounds, and lets none begin.
  runtime::task<void> stop();

  // For metrics, as of the last survey.
  struct Measured {
    std::string topic;
    int32_t partition = 0;
    double dirty_ratio = 0;
    uint64_t cleanable_bytes = 0;
    int64_t delay_ms = 0;
    std::string set_aside_because;  // empty: it is not
  };
  [[nodiscard]] std::vector<Measured> measured() const;

 private:
  struct State {
    std::optional<Offset> checkpoint;
    bool is_running = false;
    bool is_asked_to_stop = false;
    bool is_paused = false;
    int64_t not_before_ms = 0;  // after a full disk
    Measured measured;
  };

  [[nodiscard]] bool must_stop(PartitionKey key) const;
  runtime::task<void> wait_for_io(PartitionKey key, uint64_t bytes);
  void round_failed(State& state, const storage::Log& log, const storage::Error& error);
  void count(const storage::Log& log, const storage::CleaningRange& range, const storage::CleaningOutcome& outcome,
             int64_t began_us);

  BrokerShard& shard_;
  IoThrottle& throttle_;
  std::unordered_map<PartitionKey, State, PartitionKeyHash> states_;
  bool stopping_ = false;
  int running_ = 0;
  runtime::Signal changed_;  // a round ended, or is asked to
  struct Counters {
    Counter *rounds, *failed_rounds, *bytes_read, *bytes_written, *records_read, *records_dropped;
  } counters_;
};

}  // namespace moldau::broker
