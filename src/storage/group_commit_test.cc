#include "storage/group_commit.h"

#include <gtest/gtest.h>

#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

struct Member : CommitMember {
  explicit Member(Log& of) : log_(of) {}
  [[nodiscard]] std::shared_ptr<Log> log_to_commit() override { return {std::shared_ptr<void>(), &log_}; }
  void on_commit(const log_result<>& outcome) override { outcomes.push_back(outcome.has_value()); }
  Log& log_;
  std::vector<bool> outcomes;
};

// Several partitions of one directory.
struct CommitWorld : LogWorld {
  std::vector<std::unique_ptr<Log>> logs;
  std::vector<std::shared_ptr<Member>> members;
  MetricRegistry metrics;
  GroupCommit commits{environment.disk, health,
                      {.rounds = &metrics.counter("rounds", ""), .logs = &metrics.counter("logs", ""), .flush = &metrics.histogram("flush", "")}};

  explicit CommitWorld(int count) {
    environment.disk.files["/data/meta.properties"] = std::make_shared<MemoryFileSystem::Node>();
    for (int i = 0; i < count; ++i) {
      LogOptions made = options();
      made.partition = i;
      made.directory = "/data/t-" + std::to_string(i);
      logs.push_back(std::move(*now(Log::open(std::move(made)))));
      members.push_back(std::make_shared<Member>(*logs.back()));
    }
  }
  ~CommitWorld() {
    for (const auto& each : logs) now(each->abandon());
  }
  void append(size_t index) {
    Bytes batch = batch_of(3);
    EXPECT_TRUE(now(logs[index]->append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(0)})));
    environment.disk.syncs = 0;  // a new epoch is noted at once
  }
  void append_to_all() {
    for (size_t i = 0; i < logs.size(); ++i) append(i);
  }
  // One round for all that were appended to.
  void commit_all() {
    for (const auto& member : members) commits.request(member);
    now(commits.stop());
  }
};

TEST(GroupCommit, few_logs_are_synced_one_by_one) {
  CommitWorld world(3);
  world.append_to_all();
  for (const auto& log : world.logs) EXPECT_EQ(log->durable_end_offset(), Offset(0));
  world.commit_all();
  for (const auto& log : world.logs) EXPECT_EQ(log->durable_end_offset(), Offset(3));
  for (const auto& member : world.members) EXPECT_EQ(member->outcomes, std::vector<bool>{true});
  EXPECT_EQ(world.environment.disk.syncs, 3u);
  EXPECT_EQ(world.environment.disk.file_system_syncs, 0u);
  EXPECT_EQ(world.metrics.counter("rounds", "").value(), 1u);
}

TEST(GroupCommit, many_logs_share_one_flush) {
  CommitWorld world(20);
  world.append_to_all();
  world.commit_all();
  for (const auto& log : world.logs) EXPECT_EQ(log->durable_end_offset(), Offset(3));
  EXPECT_EQ(world.environment.disk.syncs, 0u);
  EXPECT_EQ(world.environment.disk.file_system_syncs, 1u);
  EXPECT_EQ(world.metrics.counter("logs", "").value(), 20u);
}

TEST(GroupCommit, one_that_asks_twice_is_served_once_a_round) {
  CommitWorld world(1);
  world.commits.request(world.members[0]);
  world.append(0);
  world.commit_all();
  EXPECT_EQ(world.members[0]->outcomes.size(), world.metrics.counter("logs", "").value());
  EXPECT_EQ(world.logs[0]->durable_end_offset(), Offset(3));
}

TEST(GroupCommit, a_flush_that_fails_takes_the_directory_offline_and_promises_nothing) {
  for (const int count : {1, 20}) {
    CommitWorld world(count);
    world.append_to_all();
    world.environment.disk.fail_syncs_with = EIO;
    world.commit_all();
    EXPECT_TRUE(world.health->is_offline());
    for (const auto& member : world.members) EXPECT_EQ(member->outcomes.front(), false);
    for (const auto& log : world.logs) EXPECT_EQ(log->durable_end_offset(), Offset(0));
    // It is not tried again: the kernel may call the next one a success.
    world.environment.disk.fail_syncs_with = 0;
    world.commits.request(world.members[0]);
    now(world.commits.stop());
    EXPECT_EQ(world.members[0]->outcomes, (std::vector<bool>{false, false}));
    EXPECT_EQ(world.logs[0]->durable_end_offset(), Offset(0));
  }
}

TEST(GroupCommit, what_was_truncated_meanwhile_is_not_called_durable) {
  CommitWorld world(1);
  Log& log = *world.logs[0];
  world.append(0);
  world.append(0);
  const auto begun = now(log.begin_commit());
  ASSERT_TRUE(begun);
  ASSERT_TRUE(now(log.truncate_to(Offset(3))));
  world.append(0);
  log.end_commit(*begun);
  EXPECT_EQ(log.durable_end_offset(), Offset(0));
}

TEST(GroupCommit, a_flush_of_the_log_counts_too) {
  CommitWorld world(1);
  world.append(0);
  ASSERT_TRUE(now(world.logs[0]->flush()));
  EXPECT_EQ(world.logs[0]->durable_end_offset(), Offset(3));
}

}  // namespace
}  // namespace moldau::storage::test
