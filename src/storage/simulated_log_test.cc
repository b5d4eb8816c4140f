// Logs on a simulated disk: what a power cut takes, and what happens while operations take their time.
#include "base/sanitizer.h"
#include "base/metrics.h"
#include "protocol/batch_builder.h"
#include "storage/group_commit.h"
#include "storage/log_directory.h"
#include "storage/run_file.h"
#include "storage/simulated_world_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::Environment;
using runtime::task;

constexpr int64_t first_ms = 1'750'000'000'000;

Bytes batch_at(int64_t timestamp_ms, size_t value_bytes = 5) {
  protocol::BatchBuilder builder(protocol::BatchOptions{});
  const std::string value(value_bytes, 'v');
  builder.append(timestamp_ms, std::nullopt, as_bytes(value));
  return builder.finish();
}

task<void> append_at(Log& log, int64_t timestamp_ms) {
  Bytes batch = batch_at(timestamp_ms);
  EXPECT_TRUE(co_await log.append_as_leader({.records = batch}));
}

// Of records a millisecond apart, from the first one on.
task<void> expect_times(Log& log, int count) {
  for (int i = 0; i < count; ++i) {
    const auto found = co_await log.offset_for_timestamp(first_ms + i);
    EXPECT_TRUE(found && *found && (*found)->offset == Offset(i)) << "record " << i;
  }
}

struct FlushedLogWorld : SimulatedLogWorld {
  explicit FlushedLogWorld(uint64_t seed) : SimulatedLogWorld(seed) { options.config.flush_messages = 1; }
};

// Five records a millisecond apart, flushed one by one, and a roll; then perhaps a sixth record.
TEST(SimulatedLog, a_rolled_segment_is_found_by_time_after_a_power_cut) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    FlushedLogWorld world(seed);
    const bool writes_on = seed % 2 == 0;
    Offset recovery_point(0);
    world.tell([&](Log& log) -> task<void> {
      for (int i = 0; i < 5; ++i) co_await append_at(log, first_ms + i);
      if (!writes_on) recovery_point = log.recovery_point();
      EXPECT_TRUE(co_await log.roll());
      if (!writes_on) co_return;
      co_await append_at(log, first_ms + 5);
      recovery_point = log.recovery_point();
    });
    world.cut_power();
    world.options.recovery_point = recovery_point;
    world.run([writes_on](Log& log) -> task<void> {
      EXPECT_EQ(log.log_end_offset(), Offset(writes_on ? 6 : 5));
      co_await expect_times(log, 5);
    });
  }
}

// What a roll writes to the indexes while a flush of the same records is under way belongs to that flush.
TEST(SimulatedLog, a_segment_rolled_during_a_flush_is_found_by_time_after_a_power_cut) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    world.node.disk_faults = {.later = 1, .latency_us_max = 20'000, .slow = 0};
    Offset recovery_point(0);
    world.tell([&](Log& log) -> task<void> {
      for (int i = 0; i < 2; ++i) co_await append_at(log, first_ms + i);
      runtime::Scope beside;
      beside.spawn([](Log& flushed) -> task<void> { EXPECT_TRUE(co_await flushed.flush()); }(log));
      co_await runtime::sleep_ms(static_cast<int64_t>(seed % 30));
      EXPECT_TRUE(co_await log.roll());
      co_await beside.join();
      co_await append_at(log, first_ms + 2);
      EXPECT_TRUE(co_await log.flush());
      recovery_point = log.recovery_point();
    });
    world.cut_power();
    world.options.recovery_point = recovery_point;
    world.run([](Log& log) { return expect_times(log, 3); });
  }
}

// An append that waits while another's flush fails must not flush again: that would succeed and put nothing on the medium.
TEST(SimulatedLog, nothing_is_acknowledged_behind_a_flush_that_failed) {
  for (uint64_t seed = 0; seed < rounds_for_test(40); ++seed) {
    FlushedLogWorld world(seed);
    int acknowledged = 0;
    world.run([&](Log& log) -> task<void> {
      co_await append_at(log, first_ms);  // notes the leader epoch, which is a flush of its own
      world.node.disk_faults.fail_next_syncs = 1;
      runtime::Scope appends;
      for (int i = 0; i < 3; ++i)
        appends.spawn([](Log& to, int& count) -> task<void> {
          Bytes batch = batch_at(first_ms);
          if (co_await to.append_as_leader({.records = batch})) ++count;
        }(log, acknowledged));
      co_await appends.join();
    });
    EXPECT_EQ(acknowledged, 0) << "seed " << seed;
  }
}

// A flush fails, the process is started again and shows what the page cache holds; then the power goes. What was shown, and
// acknowledged since, is there.
TEST(SimulatedLog, what_a_failed_flush_hid_is_on_the_medium_before_it_is_shown_again) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    FlushedLogWorld world(seed);
    bool has_failed = false;
    Offset recovery_point(0);
    world.tell([&](Log& log) -> task<void> {
      for (int i = 0; i < 5; ++i) {
        co_await append_at(log, first_ms + i);
        if (i == 2) EXPECT_TRUE(co_await log.roll());
      }
      recovery_point = log.recovery_point();
      world.node.disk_faults.sync_error = 0.5;  // of the log, of an index, or of the note that one has failed
      Bytes lost = batch_at(first_ms + 5, 20'000);  // on pages of its own, that no later write makes dirty
      has_failed = !co_await log.append_as_leader({.records = lost});
    });
    world.node.disk_faults.sync_error = 0;
    world.kill();
    world.run([&](Environment& environment) -> task<void> {
      const auto last = co_await read_run_file(environment, "/data");
      EXPECT_TRUE(last && last->had_failed_flush == has_failed);
    });
    world.options.recovery_point = recovery_point;
    world.options.had_failed_flush = has_failed;
    Offset shown(0);
    world.tell([&](Log& log) -> task<void> {
      co_await append_at(log, first_ms + 6);
      shown = log.log_end_offset();
    });
    EXPECT_EQ(shown, Offset(7));
    world.cut_power();
    world.options.had_failed_flush = false;
    world.run([&](Log& log) -> task<void> {
      EXPECT_EQ(log.log_end_offset(), shown);
      co_await expect_times(log, 7);
    });
  }
}

// The process is killed as soon as it knows of it.
TEST(SimulatedLog, the_next_start_knows_of_a_flush_that_failed_in_the_last_moment) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    const auto health = std::make_shared<DirectoryHealth>("/data");
    world.start([&](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      EXPECT_TRUE(co_await keep_run_file_open(environment.files(), health));
      const auto file = co_await environment.files().open("/data/file", runtime::OpenMode::create);
      EXPECT_TRUE(file);
      world.node.disk_faults.later = 1;
      world.node.disk_faults.fail_next_syncs = 1;
      const auto synced = co_await (*file)->sync();
      EXPECT_FALSE(synced);
      co_await record_failed_flush(environment.files(), health, synced.error().message());
    });
    EXPECT_TRUE(world.world.run_until([&] { return health->is_offline(); }, world.limit_us));
    world.kill();
    world.run([](Environment& environment) -> task<void> {
      const auto last = co_await read_run_file(environment, "/data");
      EXPECT_TRUE(last && last->had_failed_flush);
    });
  }
}

// A log goes away while a round of commits has still to sync its directory: that is no fault of the disk.
TEST(SimulatedLog, a_commit_of_a_log_that_goes_away_does_not_fail_the_directory) {
  struct Member : CommitMember {
    explicit Member(Log& of) : log(of) {}
    [[nodiscard]] std::shared_ptr<Log> log_to_commit() override { return {std::shared_ptr<void>(), &log}; }
    void on_commit(const log_result<>&) override {}
    Log& log;
  };
  int renamed_meanwhile = 0;
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    world.node.disk_faults.later = 1;
    world.run([&](Log& log) -> task<void> {
      const DirectoryHealthPtr health = log.health();
      MetricRegistry metrics;
      GroupCommit commits(log.environment().files(), health,
                          {.rounds = &metrics.counter("rounds", ""), .logs = &metrics.counter("logs", ""), .flush = &metrics.histogram("flush", "")});
      co_await append_at(log, first_ms);
      commits.request(std::make_shared<Member>(log));
      for (int i = 0; i < 3; ++i) co_await runtime::yield();
      EXPECT_TRUE(co_await log.rename_directory("t-0.0123456789abcdef0123456789abcdef-delete"));
      renamed_meanwhile += metrics.counter("rounds", "").value() == 0 ? 1 : 0;
      co_await commits.stop();
      EXPECT_FALSE(health->is_offline());
    });
  }
  EXPECT_GT(renamed_meanwhile, 0);
}

// Closing writes what indexes and producers still lacked; the marker behind it promises that nobody need look.
TEST(SimulatedLog, a_clean_stop_is_one_after_a_power_cut_as_well) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    world.options.config.index_interval_bytes = 1;
    world.options.producers.producer_id_expiration_ms = INT64_MAX;
    world.run([](Log& log) -> task<void> {
      for (int i = 0; i < 5; ++i) {
        protocol::BatchBuilder builder({.producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(0), .base_sequence = i});
        builder.append(first_ms + i, std::nullopt, as_bytes("value"));
        Bytes batch = builder.finish();
        EXPECT_TRUE(co_await log.append_as_leader({.records = batch}));
      }
      EXPECT_TRUE(co_await log.flush());
      EXPECT_TRUE(co_await log.close());
    });
    world.run([](Environment& environment) -> task<void> {
      auto directory = std::move(*co_await LogDirectory::open(environment, "/data"));
      EXPECT_TRUE(co_await directory->mark_clean_shutdown(1));
    });
    world.node.disk.crash(world.world.random());
    world.run([](Environment& environment) -> task<void> {
      EXPECT_TRUE((*co_await LogDirectory::open(environment, "/data"))->had_clean_shutdown());
    });
    world.options.had_clean_shutdown = true;
    world.run([](Log& log) -> task<void> {
      EXPECT_EQ(log.log_end_offset(), Offset(5));
      co_await expect_times(log, 5);
      const ProducerEntry* producer = log.producers().find(ProducerId(7));
      EXPECT_TRUE(producer != nullptr && producer->last_sequence() == 4);
    });
  }
}

// Reads the log from its start and looks times up until told to stop; what was removed meanwhile is out of range.
task<void> read_on(Log& log, const bool& stop) {
  while (!stop) {
    const auto read = co_await log.read(log.log_start_offset(), 1000, true, ReadIsolation::high_watermark);
    EXPECT_TRUE(read || read.error().code == protocol::ErrorCode::offset_out_of_range);
    const auto found = co_await log.offset_for_timestamp(first_ms + 3);
    EXPECT_TRUE(found) << found.error().message;
    co_await runtime::yield();
  }
}

TEST(SimulatedLog, retention_takes_nothing_from_readers_but_what_it_removes) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    world.open_files_max = 4;
    world.options.config.retention_bytes = 1;
    world.run([](Log& log) -> task<void> {
      bool stop = false;
      runtime::Scope readers;
      for (int i = 0; i < 3; ++i) readers.spawn(read_on(log, stop));
      for (int i = 0; i < 12; ++i) {
        co_await append_at(log, first_ms + i);
        log.update_high_watermark(log.log_end_offset());
        if (i % 2 == 1) EXPECT_TRUE(co_await log.roll());
        if (i % 4 == 3) EXPECT_TRUE(co_await log.delete_old_segments());
      }
      stop = true;
      co_await readers.join();
      EXPECT_FALSE(log.is_offline());
    });
  }
}

// Twelve records a millisecond apart, two in a segment, are found by a run that has not looked at any of it.
void write_in_an_earlier_run(SimulatedLogWorld& world) {
  world.open_files_max = 4;
  world.run([](Log& log) -> task<void> {
    for (int i = 0; i < 12; ++i) {
      co_await append_at(log, first_ms + i);
      if (i % 2 == 1) EXPECT_TRUE(co_await log.roll());
    }
  });
  world.options.recovery_point = world.options.high_watermark = Offset(12);
  world.options.had_clean_shutdown = true;
}

// A lookup has an answer, whatever goes meanwhile.
task<void> expect_answer(Log& log, int64_t timestamp_ms) {
  const auto found = co_await log.offset_for_timestamp(timestamp_ms);
  EXPECT_TRUE(found) << found.error().message;
}

TEST(SimulatedLog, retention_takes_no_time_from_lookups_but_of_what_it_removes) {
  for (uint64_t seed = 0; seed < rounds_for_test(100); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    FlushedLogWorld world(seed);
    write_in_an_earlier_run(world);
    world.run([](Log& log) -> task<void> {
      runtime::Scope readers;
      for (int i = 0; i < 12; i += 2) {
        for (const int64_t timestamp_ms : {first_ms + i, first_ms + i + 3, max_timestamp}) readers.spawn(expect_answer(log, timestamp_ms));
        EXPECT_TRUE(co_await log.delete_records_before(Offset(i + 2)));
        EXPECT_TRUE(co_await log.delete_old_segments());
      }
      co_await readers.join();
      EXPECT_FALSE(log.is_offline());
    });
  }
}

// The answer may be an error: the log is going away.
task<void> look_up(Log& log, int64_t timestamp_ms) {
  (void)co_await log.offset_for_timestamp(timestamp_ms);
}

// A topic is deleted, or a partition has moved: its directory has another name all of a sudden.
TEST(SimulatedLog, whoever_reads_in_a_log_that_goes_away_does_not_fail_the_directory) {
  for (uint64_t seed = 0; seed < rounds_for_test(100); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    FlushedLogWorld world(seed);
    write_in_an_earlier_run(world);
    world.run([](Log& log) -> task<void> {
      const DirectoryHealthPtr health = log.health();
      runtime::Scope readers;
      for (int i = 0; i < 12; ++i) readers.spawn(look_up(log, first_ms + i));
      EXPECT_TRUE(co_await log.rename_directory("t-0.0123456789abcdef0123456789abcdef-delete"));
      co_await readers.join();
      EXPECT_FALSE(health->is_offline());
    });
  }
}

task<void> expect_at(Log& log, int64_t timestamp_ms, Offset offset) {
  const auto found = co_await log.offset_for_timestamp(timestamp_ms);
  EXPECT_TRUE(found && *found && (*found)->offset == offset);
}

// One of them has the index's size already and not its last entry, when the others ask for that. The files are older than
// their records here, for without an entry the file's own time counts.
TEST(SimulatedLog, lookups_at_one_time_learn_an_index_together) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    FlushedLogWorld world(seed);
    world.run([](Log& log) -> task<void> {
      for (int i = 0; i < 4; ++i) {
        co_await append_at(log, first_ms + i);
        if (i == 1) EXPECT_TRUE(co_await log.roll());
      }
      EXPECT_TRUE(co_await log.close());
    });
    for (const std::string& file : world.node.disk.files("/data")) EXPECT_EQ(world.node.disk.set_modified_ms(file, 0), 0);
    world.options.recovery_point = Offset(4);
    world.options.had_clean_shutdown = true;
    world.run([](Log& log) -> task<void> {
      runtime::Scope readers;
      for (int i = 0; i < 6; ++i) readers.spawn(expect_at(log, first_ms + 1, Offset(1)));
      co_await readers.join();
    });
  }
}

// Recovery drops the segments behind a torn one. With the next power cut they must not come back behind what was written since.
TEST(SimulatedLog, segments_that_recovery_dropped_stay_away) {
  constexpr int64_t later_ms = first_ms + 1000;
  int dropped = 0;
  for (uint64_t seed = 0; seed < rounds_for_test(300); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    world.options.config.segment_bytes = 1500;  // two batches
    world.tell([](Log& log) -> task<void> {
      for (int i = 0; i < 11; ++i) {
        Bytes batch = batch_at(first_ms + i, 600);
        EXPECT_TRUE(co_await log.append_as_leader({.records = batch}));
      }
    });
    world.cut_power();
    int64_t kept = 0;
    world.tell([&](Log& log) -> task<void> {
      kept = log.log_end_offset().value();
      dropped += world.report.segments_cut > 0 ? 1 : 0;
      co_await append_at(log, later_ms);
    });
    world.cut_power();
    world.run([kept](Log& log) -> task<void> {
      const auto found = co_await log.offset_for_timestamp(first_ms + kept);
      EXPECT_TRUE(found && (!*found || (*found)->timestamp_ms == later_ms)) << "a record that had gone is back, behind " << kept;
    });
  }
  EXPECT_GT(dropped, 0);
}

// As GroupCommit does it: from now on all records are promised.
task<void> commit(Log& log) {
  const auto begun = co_await log.begin_commit();
  EXPECT_TRUE(begun);
  if (!begun) co_return;
  for (const runtime::FilePtr& file : begun->files) EXPECT_TRUE(co_await file->sync());
  if (begun->has_new_files) EXPECT_TRUE(co_await log.environment().files().sync_directory(log.directory()));
  log.end_commit(*begun);
}

// The flush that follows the roll comes too late to count.
task<void> commit_in_new_segment(Log& log, runtime::simulated::DiskFaults& disk) {
  const auto usual_us = std::exchange(disk.latency_us_max, 60'000'000);
  EXPECT_TRUE(co_await log.roll());
  co_await runtime::sleep_ms(1);
  disk.latency_us_max = usual_us;
  co_await append_at(log, first_ms + 1000);
  co_await commit(log);
}

// A torn tail that recovery has cut comes back: it is no reason to cut what was committed behind it since.
TEST(SimulatedLog, what_is_committed_behind_a_cut_tail_outlives_the_next_power_cut) {
  int cut = 0;
  for (uint64_t seed = 0; seed < rounds_for_test(300); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    world.tell([](Log& log) -> task<void> {
      co_await append_at(log, first_ms);
      EXPECT_TRUE(co_await log.flush());
      Bytes batch = batch_at(first_ms + 1, 600);
      EXPECT_TRUE(co_await log.append_as_leader({.records = batch}));
    });
    world.cut_power();
    world.options.recovery_point = Offset(1);
    Offset promised(0);
    world.tell([&](Log& log) -> task<void> {
      cut += world.report.bytes_cut > 0 ? 1 : 0;
      co_await commit_in_new_segment(log, world.node.disk_faults);
      promised = log.durable_end_offset();
    });
    world.cut_power();
    world.run([promised](Log& log) -> task<void> {
      EXPECT_GE(log.log_end_offset(), promised);
      co_return;
    });
  }
  EXPECT_GT(cut, 0);
}

// A failed append takes back what it had written: that must not come back behind what is committed since.
TEST(SimulatedLog, what_is_committed_behind_a_failed_append_outlives_the_next_power_cut) {
  for (uint64_t seed = 0; seed < rounds_for_test(300); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    Offset promised(0);
    world.tell([&](Log& log) -> task<void> {
      co_await append_at(log, first_ms);
      co_await commit(log);
      world.node.disk.capacity_bytes = world.node.disk.used_bytes() + 300;
      world.node.disk_faults.written_back = 0.5;
      Bytes batch = batch_at(first_ms + 1, 600);
      EXPECT_FALSE(co_await log.append_as_leader({.records = batch}));
      world.node.disk.capacity_bytes = UINT64_MAX;
      co_await commit_in_new_segment(log, world.node.disk_faults);
      promised = log.durable_end_offset();
    });
    world.cut_power();
    world.run([promised](Log& log) -> task<void> {
      EXPECT_EQ(log.log_end_offset(), promised);
      co_return;
    });
  }
}

}  // namespace
}  // namespace moldau::storage::test
