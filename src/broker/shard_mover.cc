#include "broker/shard_mover.h"

#include <algorithm>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/cleaner.h"
#include "broker/directory_assignments.h"
#include "broker/directory_set.h"
#include "broker/partition.h"
#include "broker/scrubber.h"
#include "broker/shard_scrubber.h"
#include "storage/future_log.h"

namespace moldau::broker {

using protocol::ErrorCode;
using runtime::task;
using storage::Log;

static constexpr double copy_least_bytes = 4 << 10;
static constexpr double copy_most_bytes = 1 << 20;
static constexpr int steps_in_turn = 8;

ShardMover::ShardMover(BrokerShard& shard, IoThrottle& throttle) : shard_(shard), throttle_(throttle) {
  const auto counter = [&shard](const char* name, const char* help) { return &shard.metrics.counter(name, help); };
  counters_ = {counter("moldau_replica_move_copied_bytes_total", "Bytes that were copied to other log directories."),
               counter("moldau_replica_moves_finished_total", "Partitions that were moved to another log directory."),
               counter("moldau_replica_moves_failed_total", "Moves to another log directory that failed.")};
}
ShardMover::~ShardMover() = default;

std::vector<ShardMover::View> ShardMover::moves() const {
  std::vector<View> all;
  for (const auto& [key, move] : moves_) {
    const Partition* partition = shard_.find(key.topic_id, key.partition);
    if (partition == nullptr || move.future == nullptr) continue;
    all.push_back({key, move.future, partition->shared_log()->log_end_offset() - move.future->log_end_offset()});
  }
  return all;
}

// --- requests ---

task<ErrorCode> ShardMover::move(std::shared_ptr<Partition> partition, LogDir& target) {
  const PartitionKey key{partition->topic_id(), partition->index()};
  DirectorySet& directories = *shard_.broker.directories;
  const auto turn = co_await changing_.lock();
  if (stopping_ || shard_.find(key.topic_id, key.partition) != partition.get()) co_return ErrorCode::replica_not_available;
  if (target.is_offline() || partition->log().is_offline()) co_return ErrorCode::kafka_storage_error;
  if (const auto found = moves_.find(key); found != moves_.end()) {
    const Move& now = found->second;  // without a copy it is about to be done
    if (now.future != nullptr && now.future->log_dir() == target.path() && !now.has_failed) co_return ErrorCode::none;
    if (const auto future = co_await end(key)) co_await directories.delete_log(shard_, future);
    shard_.broker.cleaner->of(shard_).resume(key);
  }
  if (partition->log().log_dir() == target.path()) co_return ErrorCode::none;
  // As Kafka: a copy of the same partition might lie in a directory that is away.
  if (directories.any_offline()) co_return ErrorCode::kafka_storage_error;
  auto future = co_await directories.make_future(shard_, partition->log(), target);
  if (!future) {
    log_error("cannot move {}-{} to {}: {}", partition->topic(), partition->index(), target.path(), future.error().message);
    co_return ErrorCode::kafka_storage_error;
  }
  co_await shard_.broker.cleaner->of(shard_).pause(key);
  log_info("moving {}-{} from {} to {}", partition->topic(), partition->index(), partition->log().log_dir(), target.path());
  add(key, {.future = std::move(*future)});
  co_return ErrorCode::none;
}

// Compaction may have gone over the log since the copy was made: a copy from before it, filled up with what is there now,
// could hold a record again whose deletion is compacted away.
task<void> ShardMover::resume(Partition& partition, std::unique_ptr<Log> future) {
  const PartitionKey key{partition.topic_id(), partition.index()};
  co_await shard_.broker.cleaner->of(shard_).pause(key);
  // The power may have taken the end of one segment of the copy and left the next one.
  const std::string_view stop = shard_.broker.directories->find(future->log_dir())->files->last_stop();
  const bool may_have_holes = stop != "clean" && stop != "killed";
  log_info("going on to move {}-{} from {} to {}, from offset {}", partition.topic(), partition.index(), partition.log().log_dir(),
           future->log_dir(), may_have_holes ? partition.log().log_start_offset() : future->log_end_offset());
  add(key, {.future = std::move(future), .begins_anew = partition.log().config().is_compacted || may_have_holes});
}

void ShardMover::add(PartitionKey key, Move move) {
  moves_[key] = std::move(move);
  queue_.push_back(key);
  changed_.notify_all();
}

// Takes the move out once no step of it runs; null if there is none.
task<std::shared_ptr<Log>> ShardMover::end(PartitionKey key) {
  while (true) {
    const auto found = moves_.find(key);
    if (found == moves_.end()) co_return nullptr;
    if (!found->second.is_busy) break;
    found->second.is_asked_to_end = true;
    changed_.notify_all();
    (void)co_await changed_.wait();
  }
  std::shared_ptr<Log> future = std::move(moves_.extract(key).mapped().future);
  std::erase(queue_, key);
  co_return future;
}

task<void> ShardMover::release(PartitionKey key) {
  const auto turn = co_await changing_.lock();
  if (const auto future = co_await end(key)) co_await shard_.broker.directories->delete_log(shard_, future);
}

task<void> ShardMover::directory_failed(const LogDir& directory) {
  const auto turn = co_await changing_.lock();
  for (const View& move : moves()) {
    const auto found = shard_.partitions.find(move.key);
    if (found == shard_.partitions.end()) continue;  // it has been deleted meanwhile
    const std::shared_ptr<Partition> partition = found->second;
    if (move.future->log_dir() != directory.path() && partition->log().log_dir() != directory.path()) continue;
    const auto future = co_await end(move.key);
    if (future == nullptr) continue;  // it was done
    log_warning("the move of {}-{} to {} has ended with its directory", partition->topic(), partition->index(), future->log_dir());
    if (!future->is_offline()) (void)co_await future->close();
    co_await future->abandon();
    shard_.broker.cleaner->of(shard_).resume(move.key);
  }
}

// --- the loop ---

void ShardMover::start() { loop_.spawn(run()); }

task<void> ShardMover::stop() {
  stopping_ = true;
  changed_.notify_all();
  co_await loop_.join();
}

task<void> ShardMover::close_copies() {
  for (auto& [key, move] : std::exchange(moves_, {})) {
    if (move.future->is_offline())
      co_await move.future->abandon();
    else if (const auto closed = co_await move.future->close(); !closed)
      log_error("{}", closed.error().message);
  }
}

task<void> ShardMover::run() {
  while (!stopping_) {
    if (queue_.empty()) {
      co_await changed_.wait();
      continue;
    }
    const PartitionKey key = queue_.front();
    queue_.pop_front();
    const auto found = moves_.find(key);
    if (found == moves_.end()) continue;
    Move& move = found->second;  // nobody takes it out while it is busy, and others that come leave it where it is
    move.is_busy = true;
    co_await step(key, move);
    move.is_busy = false;
    if (move.future == nullptr)
      moves_.erase(key);
    else if (!move.has_failed)
      queue_.push_back(key);
    changed_.notify_all();
    co_await runtime::yield();
  }
}

task<void> ShardMover::wait_for_io(const Move& move, uint64_t bytes) {
  const int64_t until_us = throttle_.take(bytes, shard_.shard.now_us());
  while (!stopping_ && !move.is_asked_to_end && shard_.shard.now_us() < until_us) (void)co_await changed_.wait_until(until_us);
}

void ShardMover::failed(Move& move, const storage::Error& error) {
  move.has_failed = true;
  counters_.failed->add();
  log_error("the move of {}-{} to {} has failed: {}; ask for it again once that is mended", move.future->topic(), move.future->partition(),
            move.future->log_dir(), error.message);
}

task<void> ShardMover::step(PartitionKey key, Move& move) {
  const Partition* found = shard_.find(key.topic_id, key.partition);
  if (found == nullptr) co_return;  // it is being deleted
  const std::shared_ptr<Partition> partition = shard_.partitions.at(key);
  const std::shared_ptr<Log> current = partition->shared_log();
  if (current->is_offline() || move.future->is_offline()) {
    move.has_failed = true;  // directory_failed() takes it out
    co_return;
  }
  if (!move.is_aligned) {
    storage::log_result<> aligned;
    if (move.begins_anew) aligned = co_await move.future->truncate_fully_and_start_at(current->log_start_offset());
    if (aligned) aligned = co_await storage::align_future(*current, *move.future);
    if (!aligned) co_return failed(move, aligned.error());
    move.is_aligned = true;
  }
  for (int i = 0; i < steps_in_turn && !stopping_ && !move.is_asked_to_end; ++i) {
    // A tenth of a second's share at a time, so that a low rate is kept.
    const auto most = static_cast<uint32_t>(std::clamp<double>(throttle_.bytes_per_second() / 10, copy_least_bytes, copy_most_bytes));
    const auto copied = co_await storage::copy_to_future(*current, *move.future, most, buffer_);
    if (!copied) co_return failed(move, copied.error());
    if (*copied == 0) co_return co_await promote(partition, move);
    counters_.copied_bytes->add(*copied);
    co_await wait_for_io(move, *copied);
  }
}

task<void> ShardMover::promote(std::shared_ptr<Partition> partition, Move& move) {
  const std::shared_ptr<Log> current = partition->shared_log();
  if (const auto flushed = co_await move.future->flush(); !flushed) co_return failed(move, flushed.error());
  const auto held = co_await partition->hold_appends();
  const auto promoted = co_await storage::promote_future(*current, *move.future, [&] {
    partition->take_log(move.future, partition->has_commits() ? &shard_.commits_of(*move.future) : nullptr);
  });
  if (!promoted) co_return failed(move, promoted.error());
  if (!*promoted) co_return;
  const std::shared_ptr<Log> taken = std::exchange(move.future, nullptr);
  co_await finish({partition->topic_id(), partition->index()}, current, taken);
}

// The log has its new place. What is left is to clear the old one, and to tell of it.
task<void> ShardMover::finish(PartitionKey key, std::shared_ptr<Log> replaced, std::shared_ptr<Log> taken) {
  Broker& broker = shard_.broker;
  const std::string from = replaced->log_dir();
  co_await broker.scrubber->of(shard_).release(key);
  co_await broker.directories->delete_log(shard_, std::move(replaced));
  broker.cleaner->of(shard_).resume(key);
  counters_.finished->add();
  log_info("moved {}-{} from {} to {}", taken->topic(), taken->partition(), from, taken->log_dir());
  const LogDir* now_in = broker.directories->find(taken->log_dir());
  const Uuid directory = now_in->id;
  co_await runtime::call_on(broker.first_shard().shard, [&]() -> task<void> {
    return [](Broker& of, PartitionKey moved, Uuid to) -> task<void> {
      of.assignments->note(moved, to);
      co_await of.directories->checkpoint_recovery_points(of);
      co_await of.directories->checkpoint_high_watermarks(of);
    }(broker, key, directory);
  });
}

}  // namespace moldau::broker
