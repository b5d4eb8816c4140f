#include "checker/checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace moldau::sim {
namespace {

const Partition p = "t-0";

Operation send(int process, int64_t from_us, int64_t to_us, Value value, std::optional<int64_t> offset, Outcome outcome = Outcome::ok) {
  return {.process = process, .invoked_us = from_us, .completed_us = to_us, .outcome = outcome, .sent = {{p, value, offset}}};
}
Operation poll(int process, int64_t from_us, int64_t to_us, std::vector<std::pair<int64_t, Value>> reads) {
  Operation operation{.process = process, .invoked_us = from_us, .completed_us = to_us};
  for (const auto& [offset, value] : reads) operation.read.push_back({p, offset, value});
  return operation;
}
History::FinalRead final_read(std::vector<std::pair<int64_t, Value>> reads, int64_t log_start = 0) {
  History::FinalRead read{.partition = p, .log_start_offset = log_start};
  for (const auto& [offset, value] : reads) read.read.push_back({p, offset, value});
  return read;
}
// Two producers and a consumer, everything right; offset 2 is a marker's.
History good() {
  return {.operations = {send(1, 10, 20, 101, 0), send(2, 15, 30, 201, 1), send(1, 40, 50, 102, 3), send(2, 40, 60, 202, {}, Outcome::info),
                         send(1, 70, 80, 103, {}, Outcome::fail), poll(3, 25, 35, {{0, 101}, {1, 201}}), poll(3, 65, 75, {{3, 102}, {4, 202}})},
          .final_reads = {final_read({{0, 101}, {1, 201}, {3, 102}, {4, 202}})}};
}

std::vector<Anomaly> kinds(const History& history) {
  std::vector<Anomaly> found;
  for (const Finding& finding : check(history)) found.push_back(finding.anomaly);
  return found;
}
bool has(const History& history, Anomaly anomaly) {
  const std::vector<Anomaly> found = kinds(history);
  return std::ranges::find(found, anomaly) != found.end();
}

TEST(Checker, passes_a_history_without_fault) {
  EXPECT_TRUE(check(good()).empty());
  EXPECT_TRUE(check({}).empty());
}

TEST(Checker, finds_an_acknowledged_value_that_is_gone) {
  History history = good();
  history.final_reads[0].read.erase(history.final_reads[0].read.begin() + 1);
  EXPECT_TRUE(has(history, Anomaly::lost_write));
  history.final_reads[0] = final_read({{0, 101}, {1, 201}, {4, 202}});  // above everything that others read: unseen
  EXPECT_TRUE(has(history, Anomaly::lost_write));
}

TEST(Checker, finds_a_value_of_unknown_outcome_that_was_read_and_then_gone) {
  History history = good();
  history.final_reads[0].read.pop_back();
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::lost_write}));
  history.operations.pop_back();  // nobody read it: then it may never have been written
  EXPECT_TRUE(check(history).empty());
}

TEST(Checker, knows_that_retention_removes_values) {
  History history = good();
  history.final_reads[0] = final_read({{3, 102}, {4, 202}}, 3);
  EXPECT_TRUE(check(history).empty());
  history.final_reads[0].log_start_offset = 1;
  EXPECT_TRUE(has(history, Anomaly::lost_write));
}

TEST(Checker, finds_a_value_at_two_offsets) {
  History history = good();
  history.final_reads[0].read.push_back({p, 5, 101});
  EXPECT_TRUE(has(history, Anomaly::duplicate));
}

TEST(Checker, finds_two_values_at_one_offset) {
  History history = good();
  history.operations.push_back(poll(4, 90, 95, {{1, 999}}));
  EXPECT_TRUE(has(history, Anomaly::inconsistent_offset));
}

TEST(Checker, finds_an_acknowledged_offset_that_holds_another_value) {
  History history = good();
  history.operations.push_back(send(5, 90, 95, 501, 3));
  EXPECT_TRUE(has(history, Anomaly::inconsistent_offset));
}

TEST(Checker, finds_a_failed_value_that_was_read) {
  History history = good();
  history.operations.push_back(poll(4, 90, 95, {{5, 103}}));
  EXPECT_TRUE(has(history, Anomaly::aborted_read));
}

TEST(Checker, finds_an_operation_that_reads_its_own_value) {
  History history = good();
  history.operations[6].sent.push_back({p, 102, 3});
  EXPECT_TRUE(has(history, Anomaly::own_read));
}

TEST(Checker, finds_skips_and_steps_back_within_and_between_polls) {
  History history = good();
  history.operations[5].read.pop_back();  // 0, then 3: 1 was passed over
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::skipped_between_polls}));
  history.operations[6].repositioned.insert(p);
  EXPECT_TRUE(check(history).empty());

  history = good();
  history.operations.push_back(poll(4, 90, 95, {{0, 101}, {3, 102}}));
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::skipped_in_poll}));

  history = good();
  history.operations.push_back(poll(4, 90, 95, {{1, 201}, {0, 101}}));
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::backwards_in_poll}));

  history = good();
  history.operations.push_back(poll(3, 90, 95, {{4, 202}}));
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::backwards_between_polls}));
}

TEST(Checker, finds_values_of_a_process_out_of_order_even_if_only_a_reader_knows_the_offset) {
  History history = good();
  history.operations[2].sent[0].offset.reset();
  history.operations[2].outcome = Outcome::info;
  std::swap(history.operations[0].sent[0].value, history.operations[2].sent[0].value);
  history.operations[0].sent[0].offset = 3;
  EXPECT_TRUE(has(history, Anomaly::reordered_send));
}

TEST(Checker, finds_offsets_against_real_time) {
  History history = good();
  history.operations[1] = send(7, 51, 55, 201, 1);  // began after 102 had got offset 3
  history.operations[5] = poll(3, 25, 35, {{0, 101}});
  history.operations[6].repositioned.insert(p);
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::real_time_order}));
}

TEST(Checker, finds_watermarks_that_go_back_unless_the_answers_overlap) {
  History history{.watermarks = {{p, 10, 20, 5, 5}, {p, 15, 30, 4, 4}, {p, 40, 50, 6, 6}}};
  EXPECT_TRUE(check(history).empty());
  history.watermarks.push_back({p, 60, 70, 5, 5});
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::watermark_regress, Anomaly::watermark_regress}));
  history.watermarks.back() = {p, 60, 70, 6, 5};
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::unstable_without_cause, Anomaly::watermark_regress}));
}

TEST(Checker, finds_a_last_stable_offset_that_lags_although_there_are_no_transactions) {
  EXPECT_EQ(kinds({.watermarks = {{p, 10, 20, 5, 4}}}), (std::vector{Anomaly::unstable_without_cause}));
}

Commit commit(int64_t from_us, int64_t to_us, int generation, int64_t offset, Outcome outcome = Outcome::ok) {
  return {.group = "g", .partition = p, .invoked_us = from_us, .completed_us = to_us, .outcome = outcome, .generation = generation, .offset = offset, .processed = offset};
}
CommittedOffset told(int64_t at_us, int64_t offset) {
  return {.group = "g", .partition = p, .invoked_us = at_us, .completed_us = at_us + 1, .offset = offset};
}

TEST(Checker, passes_group_offsets_that_follow_the_commits) {
  EXPECT_TRUE(check({.commits = {commit(10, 20, 1, 5), commit(30, 40, 1, 8), commit(50, 60, 2, 9, Outcome::info), commit(70, 80, 2, 7, Outcome::fail)},
                     .committed = {told(5, -1), told(15, -1), told(16, 5), told(25, 5), told(35, 5), told(36, 8), told(65, 8), told(90, 9), told(91, 8)}})
                  .empty());
}

TEST(Checker, finds_group_offsets_that_are_lost_or_invented) {
  const std::vector<Commit> commits = {commit(10, 20, 1, 5), commit(30, 40, 1, 8), commit(50, 60, 1, 9, Outcome::fail)};
  EXPECT_EQ(kinds({.commits = commits, .committed = {told(41, 5)}}), (std::vector{Anomaly::committed_lost}));
  EXPECT_EQ(kinds({.commits = commits, .committed = {told(41, -1)}}), (std::vector{Anomaly::committed_lost}));
  EXPECT_EQ(kinds({.commits = commits, .committed = {told(70, 9)}}), (std::vector{Anomaly::committed_invented}));
  EXPECT_EQ(kinds({.commits = commits, .committed = {told(70, 6)}}), (std::vector{Anomaly::committed_invented}));
  EXPECT_EQ(kinds({.commits = commits, .committed = {told(5, 8)}}), (std::vector{Anomaly::committed_invented}));
}

TEST(Checker, finds_commits_of_an_older_generation_and_beyond_what_was_processed) {
  EXPECT_EQ(kinds({.commits = {commit(10, 20, 2, 5), commit(30, 40, 1, 8)}}), (std::vector{Anomaly::stale_commit}));
  EXPECT_TRUE(check({.commits = {commit(10, 20, 2, 5), commit(15, 40, 1, 8)}}).empty());
  Commit early = commit(10, 20, 1, 5);
  early.processed = 4;
  EXPECT_EQ(kinds({.commits = {early}}), (std::vector{Anomaly::commit_passes_processing}));
}

TEST(Checker, finds_a_commit_of_a_generation_that_a_member_knows_to_be_over) {
  const std::vector<Membership> second = {{.group = "g", .identity = "a", .generation = 2, .learned_us = 25, .partitions = {p}}};
  EXPECT_EQ(kinds({.commits = {commit(30, 40, 1, 8)}, .memberships = second}), (std::vector{Anomaly::stale_commit}));
  EXPECT_TRUE(check({.commits = {commit(20, 40, 1, 8)}, .memberships = second}).empty());
  EXPECT_TRUE(check({.commits = {commit(30, 40, 1, 8, Outcome::info), commit(30, 40, 2, 8)}, .memberships = second}).empty());
}

TEST(Checker, takes_no_generation_for_begun_that_no_member_learned_of) {
  const auto learned = [](int generation, int64_t at_us) {
    return Membership{.group = "g", .identity = "a", .generation = generation, .learned_us = at_us, .partitions = {p}};
  };
  const std::vector<Commit> commits = {commit(10, 20, 8, 5), commit(40, 50, 6, 8)};
  EXPECT_TRUE(check({.commits = commits, .memberships = {learned(6, 30), learned(8, 60)}}).empty());
  EXPECT_EQ(kinds({.commits = commits, .memberships = {learned(8, 15), learned(6, 30)}}), (std::vector{Anomaly::stale_commit}));
}

TEST(Checker, finds_a_partition_that_two_members_of_one_generation_have) {
  History history{.memberships = {{.group = "g", .identity = "a", .generation = 1, .partitions = {"t-0", "t-1"}},
                                  {.group = "g", .identity = "b", .generation = 1, .partitions = {"t-2"}},
                                  {.group = "g", .identity = "a", .generation = 1, .partitions = {"t-0", "t-1"}},
                                  {.group = "g", .identity = "b", .generation = 2, .partitions = {"t-0", "t-1"}},
                                  {.group = "h", .identity = "c", .generation = 1, .partitions = {"t-0"}}}};
  EXPECT_TRUE(check(history).empty());
  history.memberships[1].partitions.insert("t-1");
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::owned_twice, Anomaly::owned_twice}));
}

TEST(Checker, finds_a_group_whose_offset_passed_what_nobody_in_it_had_read) {
  History history = good();
  for (size_t i : {5, 6}) history.operations[i].group = "g";
  history.commits = {commit(36, 38, -1, 2), commit(76, 78, -1, 5)};
  history.committed = {told(40, 2), told(80, 5)};
  EXPECT_TRUE(check(history).empty());
  history.operations[5].group = "other";
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::committed_unread, Anomaly::committed_unread}));
  history.operations[5].group = "g";
  history.commits = {commit(10, 12, -1, 5)};
  history.committed = {told(50, 5)};  // read only later
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::committed_unread}));
}

TEST(Checker, asks_no_group_for_what_was_told_to_be_removed) {
  History history = good();
  history.operations[6].group = "g";
  history.commits = {commit(76, 78, -1, 5)};
  history.committed = {told(80, 5)};
  history.retention_ms = 0;
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::committed_unread}));
  int64_t first_read = INT64_MAX;
  for (const Read& read : history.operations[6].read) first_read = std::min(first_read, read.offset);
  history.log_starts = {{.partition = p, .completed_us = 71, .offset = first_read, .told_ms = 10'000}};
  EXPECT_TRUE(check(history).empty());
}

TEST(Checker, finds_lookups_by_time_that_told_another_record_than_the_first) {
  History history = good();
  const std::vector<int64_t> times_ms = {100, 300, 200, 400};
  for (size_t i = 0; i < 4; ++i) history.final_reads[0].read[i].timestamp_ms = times_ms[i];
  const auto lookup = [](int64_t timestamp_ms, int64_t found, int64_t at_us = 90) {
    return TimeLookup{.partition = p, .invoked_us = at_us, .completed_us = at_us + 1, .timestamp_ms = timestamp_ms, .found_offset = found};
  };
  history.lookups = {lookup(0, 0), lookup(101, 1), lookup(200, 1), lookup(301, 4), lookup(401, -1), lookup(300, -1, 5)};
  EXPECT_TRUE(check(history).empty());
  for (const TimeLookup& wrong : {lookup(200, 3), lookup(301, 3), lookup(401, 4), lookup(300, -1)}) {
    history.lookups = {wrong};
    EXPECT_EQ(kinds(history), (std::vector{Anomaly::wrong_lookup})) << wrong.timestamp_ms;
  }
  // Retention removed the first three, and a power cut brought them back.
  history.retention_ms = 500;
  history.lookups = {lookup(200, 3)};
  history.lookups[0].told_ms = 801;
  EXPECT_TRUE(check(history).empty());
  history.lookups[0].told_ms = 800;
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::wrong_lookup})) << "the second was not due yet";
  history.lookups = {lookup(150, 2)};
  history.lookups[0].told_ms = 801;
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::wrong_lookup})) << "nothing is there";
  history.retention_ms = -1;
  history.final_reads[0] = final_read({{3, 102}, {4, 202}}, 3);  // what lies below the log start cannot be judged
  history.lookups = {lookup(100, 0)};
  EXPECT_TRUE(check(history).empty());
}

TEST(Checker, finds_values_that_retention_should_have_kept) {
  History history = good();
  history.final_reads[0] = final_read({{3, 102}, {4, 202}}, 3);
  history.operations[0].sent[0].timestamp_ms = 1000;
  history.operations[1].sent[0].timestamp_ms = 900;  // older, and behind the newer one: its segment is as young
  history.log_starts = {{.partition = p, .completed_us = 81, .offset = 3, .told_ms = 1501}};
  history.retention_ms = 500;
  EXPECT_TRUE(check(history).empty());
  history.log_starts[0].told_ms = 1499;
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::removed_too_early}));
  history.retention_ms = -1;
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::removed_too_early})) << "there is no retention at all";
  history.retention_bytes = 100;
  history.final_reads[0].size_bytes = 100;
  EXPECT_TRUE(check(history).empty());
  history.final_reads[0].size_bytes = 99;
  EXPECT_EQ(kinds(history), (std::vector{Anomaly::removed_too_early}));
}

// Histories of a log that is right, with unknown outcomes, gaps and several readers; then one fault each.
History random_history(uint64_t seed, int writes) {
  std::mt19937_64 random(seed);
  History history;
  std::vector<std::pair<int64_t, Value>> log;
  int64_t offset = 0;
  int64_t now_us = 0;
  std::vector<size_t> position(3, 0);
  for (int i = 0; i < writes; ++i) {
    const int process = static_cast<int>(random() % 3);
    const auto value = static_cast<Value>(i + 1);
    const auto fate = random() % 10;
    now_us += 2;
    if (fate == 0) {
      history.operations.push_back(send(process, now_us, now_us + 1, value, {}, Outcome::fail));
    } else {
      const bool known = fate > 2;
      if (known || fate == 1) {
        offset += static_cast<int64_t>(random() % 20 == 0);
        log.emplace_back(offset, value);
      }
      history.operations.push_back(send(process, now_us, now_us + 1, value, known ? std::optional(offset) : std::nullopt, known ? Outcome::ok : Outcome::info));
      if (known || fate == 1) ++offset;
    }
    const auto reader = random() % 3;
    const size_t end = std::min(log.size(), position[reader] + random() % 5);
    now_us += 2;
    history.operations.push_back(poll(10 + static_cast<int>(reader), now_us, now_us + 1,
                                      {log.begin() + static_cast<ptrdiff_t>(position[reader]), log.begin() + static_cast<ptrdiff_t>(end)}));
    position[reader] = end;
  }
  history.final_reads.push_back(final_read(log));
  return history;
}

TEST(Checker, passes_random_right_histories_and_finds_a_fault_planted_in_each) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const History right = random_history(seed, 60);
    ASSERT_TRUE(check(right).empty()) << check(right)[0].text;
    std::mt19937_64 random(seed);
    auto& last = right.final_reads[0].read;
    const size_t victim = random() % last.size();
    History wrong = right;
    switch (seed % 4) {
      case 0: wrong.final_reads[0].read[victim].value = 1'000'000; break;
      case 1: wrong.final_reads[0].read.push_back({p, last.back().offset + 1, last[victim].value}); break;
      case 2: std::swap(wrong.final_reads[0].read[victim].value, wrong.final_reads[0].read[(victim + 1) % last.size()].value); break;
      default:
        for (Operation& operation : wrong.operations)
          if (operation.outcome == Outcome::ok && !operation.sent.empty() && operation.sent[0].offset) ++*operation.sent[0].offset;
    }
    EXPECT_FALSE(check(wrong).empty()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace moldau::sim
