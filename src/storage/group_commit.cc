#include "storage/group_commit.h"

#include "storage/run_file.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

// Is in every formatted directory, and stays there.
static constexpr std::string_view anchor_file = "meta.properties";

void GroupCommit::request(CommitMemberPtr member) {
  if (!member->waits_for_round_) {
    member->waits_for_round_ = true;
    next_.push_back(std::move(member));
  }
  if (running_) return;
  running_ = true;
  rounds_.spawn(run_rounds());
}

task<> GroupCommit::run_rounds() {
  co_await runtime::yield();  // whoever appends in this turn comes along
  while (!next_.empty()) {
    const Members members = std::exchange(next_, {});
    for (const CommitMemberPtr& member : members) member->waits_for_round_ = false;
    const int64_t started_us = runtime::Shard::current().read_clock_us();
    const log_result<> outcome = co_await commit(members);
    if (!outcome) co_await record_failed_flush(files_, health_, outcome.error().message);
    metrics_.rounds->add();
    metrics_.logs->add(members.size());
    metrics_.flush->record_us(runtime::Shard::current().read_clock_us() - started_us);
    for (const CommitMemberPtr& member : members) member->on_commit(outcome);
  }
  running_ = false;
}

task<log_result<>> GroupCommit::commit(const Members& members) {
  std::vector<std::pair<std::shared_ptr<Log>, Log::Commit>> commits;
  std::vector<FilePtr> files;
  std::vector<std::shared_ptr<Log>> with_new_files;
  for (const CommitMemberPtr& member : members) {
    std::shared_ptr<Log> log = member->log_to_commit();
    if (log->health() != health_) continue;  // it has moved to another directory since its member asked
    MOLDAU_CO_TRY(Log::Commit begun, co_await log->begin_commit());
    if (begun.has_new_files) with_new_files.push_back(log);
    files.insert(files.end(), std::make_move_iterator(begun.files.begin()), std::make_move_iterator(begun.files.end()));
    commits.emplace_back(std::move(log), std::move(begun));
  }
  MOLDAU_CO_CHECK(co_await sync(std::move(files), std::move(with_new_files)));
  if (health_->is_offline()) co_return fail(health_->offline_error());  // another shard's flush has failed meanwhile
  for (const auto& [log, begun] : commits) log->end_commit(begun);
  co_return log_result<>{};
}

task<log_result<>> GroupCommit::sync(std::vector<FilePtr> files, std::vector<std::shared_ptr<Log>> with_new_files) {
  if (files.size() > files_synced_alone) co_return co_await sync_file_system();
  log_result<> outcome;
  runtime::Scope syncs;
  for (const FilePtr& file : files) syncs.spawn(sync_one(file, outcome));
  co_await syncs.join();
  if (!outcome) co_return outcome;
  for (const std::shared_ptr<Log>& log : with_new_files) {
    const auto synced = co_await files_.sync_directory(log->directory());
    // Of a log that was moved or deleted meanwhile the directory may be gone.
    if (!synced && log->health() == health_) co_return fail(Error(synced.error()));
  }
  co_return outcome;
}

task<> GroupCommit::sync_one(FilePtr file, log_result<>& outcome) {
  const auto synced = co_await file->sync();
  if (synced) co_return;
  co_await record_failed_flush(files_, health_, synced.error().message());
  outcome = fail(Error(synced.error()));
}

task<log_result<>> GroupCommit::sync_file_system() {
  if (anchor_ == nullptr) {
    MOLDAU_CO_TRY(anchor_, co_await files_.open(fmt::format("{}/{}", health_->path(), anchor_file), runtime::OpenMode::read));
  }
  MOLDAU_CO_CHECK(co_await anchor_->sync_file_system());
  co_return log_result<>{};
}

}  // namespace moldau::storage
