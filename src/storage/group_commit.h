// GroupCommit: puts what was appended to many logs of one directory on stable storage, with one flush for all of them.
//
// One for each log directory on each shard; used on that shard. Whoever has appended asks for a commit and is told when
// it is done. One round runs at a time; all that ask meanwhile share the next, so the more producers wait, the more a
// flush serves. A round of few files syncs each of them; beyond that one syncfs costs less. A flush that fails takes the
// directory offline and is never tried again: what the page cache holds from then on proves nothing.
#pragma once

#include <memory>
#include <vector>

#include "base/metrics.h"
#include "runtime/scope.h"
#include "runtime/signal.h"
#include "storage/log.h"

namespace moldau::storage {

// Who asks for commits: a partition.
class CommitMember {
 public:
  virtual ~CommitMember() = default;
  // As it is now: a move to another directory puts another log in its place.
  [[nodiscard]] virtual std::shared_ptr<Log> log_to_commit() = 0;
  // A round that it had asked for has ended; on success the log's durable end is at least what its end was when it asked.
  virtual void on_commit(const log_result<>& outcome) = 0;

 private:
  friend class GroupCommit;
  bool waits_for_round_ = false;
};
using CommitMemberPtr = std::shared_ptr<CommitMember>;

struct GroupCommitMetrics {
  Counter* rounds = nullptr;
  Counter* logs = nullptr;  // by round
  LatencyHistogram* flush = nullptr;
};

class GroupCommit {
 public:
  // Up to so many files are synced one by one.
  static constexpr size_t files_synced_alone = 8;

  GroupCommit(runtime::FileSystem& files, DirectoryHealthPtr health, GroupCommitMetrics metrics)
      : files_(files), health_(std::move(health)), metrics_(metrics) {}

  // Has what the member's log holds now committed in the next round.
  void request(CommitMemberPtr member);
  // Returns when nothing is under way; nothing may be requested meanwhile.
  [[nodiscard]] runtime::task<> stop() { return rounds_.join(); }

 private:
  using Members = std::vector<CommitMemberPtr>;

  runtime::task<> run_rounds();
  runtime::task<log_result<>> commit(const Members& members);
  runtime::task<log_result<>> sync(std::vector<runtime::FilePtr> files, std::vector<std::shared_ptr<Log>> with_new_files);
  runtime::task<log_result<>> sync_file_system();
  runtime::task<> sync_one(runtime::FilePtr file, log_result<>& outcome);

  runtime::FileSystem& files_;
  DirectoryHealthPtr health_;
  GroupCommitMetrics metrics_;
  runtime::FilePtr anchor_;  // for syncfs; open as long as this lives
  Members next_;
  bool running_ = false;
  runtime::Scope rounds_;
};

}  // namespace moldau::storage
