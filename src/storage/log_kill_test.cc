// A kill at every change of the disk: what is then found by a look at the end of the log is what is found by reading
// everything. And a power cut after such a start: what was flushed since is there, with indexes that are right.
#include "base/log.h"
#include "storage/changes_for_test.h"
#include "storage/compaction/history_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::task;

struct KillStory : SimulatedLogWorld {
  explicit KillStory(uint64_t seed) : SimulatedLogWorld(seed), history(seed) {
    options = compacted_log_options();
    options.config.segment_bytes = 24'000;
    options.config.segment_index_bytes = 8192;
    options.config.index_interval_bytes = 60;  // an entry for most batches, so that entries are written often
    options.replay_limit_bytes = 3'000;
    open_files_max = 64;
  }
  History history;
  Offset acknowledged{0};
  Offset recovery_point{0};
};

task<void> write(Log& log, KillStory& story) {
  for (int i = 0; i < 400; ++i) {
    co_await story.history.append_something(log, log.environment().wall_clock_ms());
    story.acknowledged = log.log_end_offset();
    if (i % 60 == 59) EXPECT_TRUE(co_await log.roll());
    if (i == 130) EXPECT_TRUE(co_await story.history.clean_all(log));
    if (i == 150) EXPECT_TRUE(co_await log.delete_records_before(Offset(40)));
    if (i == 200 || i == 290) EXPECT_TRUE(co_await log.flush());
    if (i % 100 == 70) EXPECT_TRUE(co_await log.take_producer_snapshot());
    story.recovery_point = log.recovery_point();
  }
}

// Everything that a client or a follower could find out.
task<std::string> describe(Log& log) {
  std::string text = fmt::format("start {} end {} high watermark {} stable {} recovery point {}\n", log.log_start_offset(),
                                 log.log_end_offset(), log.high_watermark(), log.last_stable_offset(), log.recovery_point());
  for (const SegmentInfo& segment : log.segments()) text += fmt::format("segment {} {}\n", segment.base_offset, segment.size_bytes);
  for (const EpochEntry& entry : log.leader_epochs().entries()) text += fmt::format("epoch {} {}\n", entry.epoch, entry.start_offset);
  std::map<ProducerId, std::string> producers;
  for (const auto& [id, entry] : log.producers().producers()) {
    std::string& line = producers[id] = fmt::format("producer {} epoch {} coordinator {} at {} open {}", id, entry.epoch, entry.coordinator_epoch,
                                                    entry.last_timestamp_ms, entry.transaction_first_offset);
    // A snapshot keeps the last batch of each.
    if (entry.has_batches()) line += fmt::format(" last {} {} {}", entry.last_sequence(), entry.last_offset_delta(), entry.last_data_offset());
  }
  for (const auto& [id, line] : producers) text += line + "\n";
  for (Offset at = log.log_start_offset(); at < log.log_end_offset(); at = at + 1) {
    const auto read = co_await log.read(at, 1, true, ReadIsolation::log_end);
    text += read ? fmt::format("read {}: {} {} {}\n", at, read->first_batch_offset, read->position, read->size_bytes)
                 : fmt::format("read {}: {}\n", at, read.error().message);
  }
  co_return text;
}

task<std::string> describe_times(Log& log, const History& history) {
  std::string text;
  for (const auto& [offset, record] : history.written()) {
    const auto found = co_await log.offset_for_timestamp(record.timestamp_ms);
    EXPECT_TRUE(found);
    text += fmt::format("time {}: {}\n", record.timestamp_ms, found && *found ? (*found)->offset.value() : -1);
  }
  co_return text;
}

struct Found {
  std::string description;
  std::vector<AbortedTransaction> aborted;
  Offset end{0};
};

task<void> look(Log& log, KillStory& story, bool goes_on, Found& found) {
  // A snapshot does not say which transactions have ended above the high watermark, here as after a clean stop.
  log.update_high_watermark(log.log_end_offset());
  found.description = co_await describe(log) + co_await describe_times(log, story.history);
  found.end = log.log_end_offset();
  found.aborted = *co_await log.aborted_between(Offset(0), found.end);
  if (goes_on) {
    for (int i = 0; i < 20; ++i) {
      protocol::BatchBuilder builder(protocol::BatchOptions{});
      builder.append(log.environment().wall_clock_ms(), as_bytes("later"), as_bytes("value"));
      Bytes batch = builder.finish();
      EXPECT_TRUE(co_await log.append_as_leader({.records = batch}));
    }
    if (story.history.pick(2) == 0) EXPECT_TRUE(co_await log.roll());
    EXPECT_TRUE(co_await log.flush());
    story.recovery_point = log.recovery_point();
    EXPECT_EQ(log.recovery_point(), log.log_end_offset());
    found.description = co_await describe_times(log, story.history);
  }
}

Found open_and_end(KillStory& story, bool was_only_killed, bool goes_on = false) {
  story.options.recovery_point = story.recovery_point;
  story.options.was_only_killed = was_only_killed;
  Found found;
  story.tell([&](Log& log) { return look(log, story, goes_on, found); });
  if (goes_on)
    story.cut_power();
  else
    story.kill();
  return found;
}

// Writes until the disk was changed so often, and kills. False: the story was over before.
bool write_and_kill(KillStory& story, int changes) {
  story.node.disk_faults.slow = 0;
  story.start([&story](Log& log) { return write(log, story); });
  if (!run_until_changed(story.world, story.node, changes, story.is_told)) return false;
  story.kill();
  story.node.disk_faults.later = 0.1;
  return true;
}

// False: the story was over before so many changes.
bool compare(uint64_t seed, int changes, int& looks_at_the_end) {
  Found whole;
  for (const bool was_only_killed : {false, true}) {
    KillStory story(seed);
    if (!write_and_kill(story, changes)) return false;
    const Found found = open_and_end(story, was_only_killed);
    EXPECT_TRUE(story.report.damage.empty()) << story.report.damage.front();
    EXPECT_GE(found.end, story.acknowledged);
    if (!was_only_killed) {
      whole = found;
      continue;
    }
    EXPECT_EQ(found.description, whole.description);
    // Compaction notes some of which no record is left, and which reading does not find, or from the first record that is left.
    for (const AbortedTransaction& each : whole.aborted) {
      const auto is_same = [&each](const AbortedTransaction& other) {
        return other.producer_id == each.producer_id && other.last_offset == each.last_offset && other.first_offset <= each.first_offset;
      };
      EXPECT_EQ(std::ranges::count_if(found.aborted, is_same), 1) << fmt::format("{} from {} to {}", each.producer_id, each.first_offset, each.last_offset);
    }
    if (story.report.segments_recovered == 1) ++looks_at_the_end;
    // Once more, and then without the page cache.
    const Found again = open_and_end(story, true);
    EXPECT_EQ(again.description, whole.description);
    EXPECT_EQ(again.aborted, found.aborted);
    const Found before = open_and_end(story, true, true);
    const Found after = open_and_end(story, false);
    EXPECT_EQ(after.end, story.recovery_point);
    EXPECT_TRUE(after.description.ends_with(before.description)) << before.description << "\n" << after.description;
  }
  return true;
}

TEST(LogKill, ALookAtTheEndFindsWhatReadingEverythingFinds) {
  const LogLevel level = log_level();
  set_log_level(LogLevel::off);
  int kills = 0;
  int looks = 0;
  for (uint64_t seed = 1; seed <= 2 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    for (int changes = static_cast<int>(seed); !testing::Test::HasFailure(); changes += 9) {
      SCOPED_TRACE(fmt::format("kill after {} changes", changes));
      if (!compare(seed, changes, looks)) break;
      ++kills;
    }
  }
  RecordProperty("kills", kills);
  EXPECT_GT(kills, 140);
  EXPECT_GT(looks, kills - 20) << "the first kills find no log";
  set_log_level(level);
}

}  // namespace
}  // namespace moldau::storage::test
