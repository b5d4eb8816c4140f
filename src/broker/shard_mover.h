// ShardMover: the moves of one shard's partitions to other log directories. One loop copies for all of them in turn, and
// swaps a log in when its copy has caught up (storage/future_log.h).
//
// Owned by the ReplicaMover, used on its shard. A move ends when its copy is in place, when somebody asks for another
// directory, or with the partition; one that fails says so in the log and stays, so that its lag tells of it, until it is
// asked for again or the node starts. The copy stays on disk and is taken up again at the next start.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "broker/broker_shard.h"
#include "broker/io_throttle.h"
#include "protocol/error_code.h"
#include "runtime/scope.h"
#include "storage/log.h"

namespace moldau::broker {

struct LogDir;

class ShardMover {
 public:
  ShardMover(BrokerShard& shard, IoThrottle& throttle);
  ~ShardMover();

  // Has the partition move to `target`; a move to elsewhere ends. Nothing to do if it lies there.
  runtime::task<protocol::ErrorCode> move(std::shared_ptr<Partition> partition, LogDir& target);
  // Goes on with a copy that was found at the start.
  runtime::task<void> resume(Partition& partition, std::unique_ptr<storage::Log> future);
  // Ends the move of a partition that is about to be deleted, and its copy; the partition must be out of the shard's already.
  runtime::task<void> release(PartitionKey key);
  // A directory has failed: moves from it and to it end, their files stay.
  runtime::task<void> directory_failed(const LogDir& directory);

  // What was asked for before start() begins then.
  void start();
  // No step runs when it returns. The copies stay open, to be closed with close_copies().
  runtime::task<void> stop();
  runtime::task<void> close_copies();

  struct View {
    PartitionKey key;
    std::shared_ptr<storage::Log> future;
    int64_t lag = 0;  // records
  };
  [[nodiscard]] std::vector<View> moves() const;

 private:
  struct Move {
    std::shared_ptr<storage::Log> future;
    bool begins_anew = false;
    bool is_aligned = false;
    bool is_busy = false;
    bool is_asked_to_end = false;
    bool has_failed = false;
  };

  runtime::task<void> run();
  runtime::task<void> step(PartitionKey key, Move& move);
  runtime::task<void> promote(std::shared_ptr<Partition> partition, Move& move);
  runtime::task<void> finish(PartitionKey key, std::shared_ptr<storage::Log> replaced, std::shared_ptr<storage::Log> taken);
  runtime::task<void> wait_for_io(const Move& move, uint64_t bytes);
  runtime::task<std::shared_ptr<storage::Log>> end(PartitionKey key);
  void failed(Move& move, const storage::Error& error);
  void add(PartitionKey key, Move move);

  BrokerShard& shard_;
  IoThrottle& throttle_;
  std::unordered_map<PartitionKey, Move, PartitionKeyHash> moves_;
  std::deque<PartitionKey> queue_;
  Bytes buffer_;
  bool stopping_ = false;
  runtime::Mutex changing_;   // one request at a time
  runtime::Signal changed_;   // a step has ended, there is a move to begin, or the loop is to end
  runtime::Scope loop_;
  struct Counters {
    Counter *copied_bytes, *finished, *failed;
  } counters_;
};

}  // namespace moldau::broker
