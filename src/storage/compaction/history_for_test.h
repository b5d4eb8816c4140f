// For tests of compaction: a log with a random history beside a plain list of what was appended to it, and what has to be
// true of the log whatever was cleaned how often.
//
// Writers: one without sequences, idempotent producers, transactional ones. The list knows of each record whether its
// transaction is open, committed or aborted.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "storage/compaction/cleanable_log.h"
#include "storage/log_for_test.h"
#include "storage/simulated_world_for_test.h"

namespace moldau::storage::test {

struct WrittenRecord {
  enum class Fate : uint8_t { open, committed, aborted };
  std::string key;
  std::optional<std::string> value;
  int64_t timestamp_ms = 0;
  ProducerId transaction_of = no_producer_id;
  Fate fate = Fate::committed;
};

struct WriterState {
  ProducerEpoch epoch{0};
  int32_t next_sequence = 0;
  int32_t last_sequence = -1;
  bool is_transactional = false;
  bool is_in_transaction = false;
};

// What a read_committed consumer is given, by offset.
using ConsumedRecords = std::map<Offset, std::pair<std::string, std::optional<std::string>>>;

class History {
 public:
  using Written = std::map<Offset, WrittenRecord>;
  using State = std::map<std::string, std::string>;

  explicit History(uint64_t seed) : random_(seed) {}

  [[nodiscard]] const Written& written() const { return written_; }
  [[nodiscard]] const std::map<ProducerId, WriterState>& writers() const { return writers_; }
  int64_t pick(int64_t below) { return std::uniform_int_distribution<int64_t>(0, below - 1)(random_); }

  // Appends something, or ends a transaction. Failures are gtest's.
  runtime::task<> append_something(Log& log, int64_t now_ms);
  runtime::task<> end_transaction(Log& log, ProducerId id, bool is_commit, int64_t now_ms);
  // Forgets what was cut off behind `end` by a crash.
  void forget_from(Offset end);

  // The last committed value of each key below `end`; a tombstone takes it away.
  [[nodiscard]] State committed_state(Offset end) const;

  // Every record in the log is one that was written there, and read_committed readers see the state that was committed.
  runtime::task<> check_readers(Log& log) const;
  // Below `clean_end` there is no record of an aborted transaction, and of each key only the newest one.
  runtime::task<> check_is_clean(Log& log, Offset clean_end) const;
  // The log knows of each writer what it must know to take its next batch.
  void check_producers(const Log& log) const;

  // One round over all that can be cleaned, and check_is_clean() of it. False: it was not finished.
  runtime::task<bool> clean_all(Log& log) const;

  static runtime::task<ConsumedRecords> consume(Log& log, ReadIsolation isolation);
  static State state_of(const ConsumedRecords& records);

 private:
  runtime::task<> append(Log& log, ProducerId id, int64_t now_ms);
  ProducerId writer();

  std::mt19937_64 random_;
  Written written_;
  std::map<ProducerId, WriterState> writers_;
  int64_t values_ = 0;
};

// A compacted log of small segments.
LogOptions compacted_log_options();

}  // namespace moldau::storage::test
