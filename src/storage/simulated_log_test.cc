// Logs on a simulated disk: what a power cut takes, and what happens while operations take their time.
#include <gtest/gtest.h>

#include "base/sanitizer.h"
#include "protocol/batch_builder.h"
#include "runtime/simulated/world.h"
#include "storage/log.h"
#include "storage/log_directory.h"
#include "storage/open_files.h"
#include "storage/run_file.h"

namespace moldau::storage {
namespace {

using runtime::Environment;
using runtime::task;
using runtime::simulated::Node;
using runtime::simulated::World;

constexpr int64_t second_us = 1'000'000;
constexpr int64_t first_ms = 1'750'000'000'000;

Bytes batch_at(int64_t timestamp_ms, size_t value_bytes = 5) {
  protocol::BatchBuilder builder(protocol::BatchOptions{});
  const std::string value(value_bytes, 'v');
  builder.append(timestamp_ms, std::nullopt, as_bytes(value));
  return builder.finish();
}

LogOptions options_of(Environment& environment, OpenFiles& open_files) {
  LogOptions options;
  options.environment = &environment;
  options.open_files = &open_files;
  options.health = std::make_shared<DirectoryHealth>("/data");
  options.directory = "/data/t-0";
  options.topic = "t";
  options.topic_id = Uuid{1, 2};
  options.config.flush_messages = 1;
  options.config.segment_index_bytes = 4096;  // a small file, for speed
  return options;
}

// Five records a millisecond apart, flushed one by one, and a roll; then perhaps a sixth record. Gives the recovery point.
Offset write_and_cut(World& world, Node& node, bool writes_on) {
  Offset recovery_point(0);
  bool done = false;
  world.boot(node, [&](Environment& environment) -> task<void> {
    EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
    OpenFiles open_files(environment.files(), 16);
    auto log = std::move(*co_await Log::open(options_of(environment, open_files)));
    for (int i = 0; i < 5 + static_cast<int>(writes_on); ++i) {
      if (i == 5) EXPECT_TRUE(co_await log->roll());
      Bytes batch = batch_at(first_ms + i);
      EXPECT_TRUE(co_await log->append_as_leader({.records = batch}));
    }
    recovery_point = log->recovery_point();
    if (!writes_on) EXPECT_TRUE(co_await log->roll());
    done = true;
    co_await runtime::sleep_ms(1'000'000);
  });
  EXPECT_TRUE(world.run_until([&] { return done; }, 60 * second_us));
  world.crash(node);
  return recovery_point;
}

TEST(SimulatedLog, a_rolled_segment_is_found_by_time_after_a_power_cut) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    const bool writes_on = seed % 2 == 0;
    const Offset recovery_point = write_and_cut(world, node, writes_on);
    world.boot(node, [&](Environment& environment) -> task<void> {
      OpenFiles open_files(environment.files(), 16);
      LogOptions options = options_of(environment, open_files);
      options.recovery_point = recovery_point;
      auto log = std::move(*co_await Log::open(std::move(options)));
      EXPECT_EQ(log->log_end_offset(), Offset(writes_on ? 6 : 5));
      for (int i = 0; i < 5; ++i) {
        const auto found = co_await log->offset_for_timestamp(first_ms + i);
        EXPECT_TRUE(found && *found && (*found)->offset == Offset(i)) << "seed " << seed << ", record " << i;
      }
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
  }
}

// What a roll writes to the indexes while a flush of the same records is under way belongs to that flush.
TEST(SimulatedLog, a_segment_rolled_during_a_flush_is_found_by_time_after_a_power_cut) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    node.disk_faults = {.later = 1, .latency_us_max = 20'000, .slow = 0};
    Offset recovery_point(0);
    bool done = false;
    world.boot(node, [&](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      OpenFiles open_files(environment.files(), 16);
      LogOptions options = options_of(environment, open_files);
      options.config.flush_messages = INT64_MAX;
      auto log = std::move(*co_await Log::open(std::move(options)));
      for (int i = 0; i < 2; ++i) {
        Bytes batch = batch_at(first_ms + i);
        EXPECT_TRUE(co_await log->append_as_leader({.records = batch}));
      }
      runtime::Scope beside;
      beside.spawn([](Log& flushed) -> task<void> { EXPECT_TRUE(co_await flushed.flush()); }(*log));
      co_await runtime::sleep_ms(static_cast<int64_t>(seed % 30));
      EXPECT_TRUE(co_await log->roll());
      co_await beside.join();
      Bytes batch = batch_at(first_ms + 2);
      EXPECT_TRUE(co_await log->append_as_leader({.records = batch}));
      EXPECT_TRUE(co_await log->flush());
      recovery_point = log->recovery_point();
      done = true;
      co_await runtime::sleep_ms(1'000'000);
    });
    ASSERT_TRUE(world.run_until([&] { return done; }, 60 * second_us));
    world.crash(node);
    world.boot(node, [&](Environment& environment) -> task<void> {
      OpenFiles open_files(environment.files(), 16);
      LogOptions options = options_of(environment, open_files);
      options.recovery_point = recovery_point;
      auto log = std::move(*co_await Log::open(std::move(options)));
      for (int i = 0; i < 3; ++i) {
        const auto found = co_await log->offset_for_timestamp(first_ms + i);
        EXPECT_TRUE(found && *found && (*found)->offset == Offset(i)) << "seed " << seed << ", record " << i;
      }
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
  }
}

TEST(SimulatedLog, a_log_directory_and_its_checkpoints_outlast_a_power_cut_right_after_they_were_made) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    bool done = false;
    world.boot(node, [&](Environment& environment) -> task<void> {
      auto directory = std::move(*co_await LogDirectory::open(environment, "/srv/moldau/data"));
      EXPECT_TRUE(co_await directory->write_recovery_points({{"t", 0, Offset(7)}}));
      done = true;
      co_await runtime::sleep_ms(1'000'000);
    });
    ASSERT_TRUE(world.run_until([&] { return done; }, 60 * second_us));
    world.crash(node);
    runtime::FileStatus status;
    EXPECT_EQ(node.disk.status("/srv/moldau/data/recovery-point-offset-checkpoint", status), 0) << "seed " << seed;
  }
}

// An append that waits while another's flush fails must not flush again: that would succeed and put nothing on the medium.
TEST(SimulatedLog, nothing_is_acknowledged_behind_a_flush_that_failed) {
  for (uint64_t seed = 0; seed < rounds_for_test(40); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    int acknowledged = 0;
    world.boot(node, [&](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      OpenFiles open_files(environment.files(), 16);
      auto log = std::move(*co_await Log::open(options_of(environment, open_files)));
      Bytes first = batch_at(first_ms);  // notes the leader epoch, which is a flush of its own
      EXPECT_TRUE(co_await log->append_as_leader({.records = first}));
      node.disk_faults.fail_next_syncs = 1;
      runtime::Scope appends;
      for (int i = 0; i < 3; ++i)
        appends.spawn([](Log& to, int& count) -> task<void> {
          Bytes batch = batch_at(first_ms);
          if (co_await to.append_as_leader({.records = batch})) ++count;
        }(*log, acknowledged));
      co_await appends.join();
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
    EXPECT_EQ(acknowledged, 0) << "seed " << seed;
  }
}

// A flush fails, the process is started again and shows what the page cache holds; then the power goes. What was shown, and
// acknowledged since, is there.
TEST(SimulatedLog, what_a_failed_flush_hid_is_on_the_medium_before_it_is_shown_again) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    bool has_failed = false;
    bool done = false;
    Offset recovery_point(0);
    world.boot(node, [&](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      OpenFiles open_files(environment.files(), 16);
      auto log = std::move(*co_await Log::open(options_of(environment, open_files)));
      for (int i = 0; i < 5; ++i) {
        Bytes batch = batch_at(first_ms + i);
        EXPECT_TRUE(co_await log->append_as_leader({.records = batch}));
        if (i == 2) EXPECT_TRUE(co_await log->roll());
      }
      recovery_point = log->recovery_point();
      node.disk_faults.sync_error = 0.5;  // of the log, of an index, or of the note that one has failed
      Bytes lost = batch_at(first_ms + 5, 20'000);  // on pages of its own, that no later write makes dirty
      has_failed = !co_await log->append_as_leader({.records = lost});
      done = true;
      co_await runtime::sleep_ms(1'000'000);
    });
    ASSERT_TRUE(world.run_until([&] { return done; }, 60 * second_us));
    node.disk_faults.sync_error = 0;
    world.kill(node);

    Offset shown(0);
    done = false;
    world.boot(node, [&](Environment& environment) -> task<void> {
      const auto last = co_await read_run_file(environment, "/data");
      EXPECT_TRUE(last && last->had_failed_flush == has_failed);
      OpenFiles open_files(environment.files(), 16);
      LogOptions options = options_of(environment, open_files);
      options.recovery_point = recovery_point;
      options.had_failed_flush = last->had_failed_flush;
      auto log = std::move(*co_await Log::open(std::move(options)));
      Bytes more = batch_at(first_ms + 6);
      EXPECT_TRUE(co_await log->append_as_leader({.records = more}));
      shown = log->log_end_offset();
      done = true;
      co_await runtime::sleep_ms(1'000'000);
    });
    ASSERT_TRUE(world.run_until([&] { return done; }, 60 * second_us));
    EXPECT_EQ(shown, Offset(7));
    world.crash(node);

    world.boot(node, [&](Environment& environment) -> task<void> {
      OpenFiles open_files(environment.files(), 16);
      LogOptions options = options_of(environment, open_files);
      options.recovery_point = recovery_point;
      auto log = std::move(*co_await Log::open(std::move(options)));
      EXPECT_EQ(log->log_end_offset(), shown) << "seed " << seed;
      for (int i = 0; i < 7; ++i) {
        const auto found = co_await log->offset_for_timestamp(first_ms + i);
        EXPECT_TRUE(found && *found && (*found)->offset == Offset(i)) << "seed " << seed << ", record " << i;
      }
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
  }
}

// Closing writes what indexes and producers still lacked; the marker behind it promises that nobody need look.
TEST(SimulatedLog, a_clean_stop_is_one_after_a_power_cut_as_well) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    world.boot(node, [](Environment& environment) -> task<void> {
      auto directory = std::move(*co_await LogDirectory::open(environment, "/data"));
      OpenFiles open_files(environment.files(), 16);
      LogOptions options = options_of(environment, open_files);
      options.config.index_interval_bytes = 1;
      options.producers.producer_id_expiration_ms = INT64_MAX;
      auto log = std::move(*co_await Log::open(std::move(options)));
      for (int i = 0; i < 5; ++i) {
        protocol::BatchBuilder builder({.producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(0), .base_sequence = i});
        builder.append(first_ms + i, std::nullopt, as_bytes("value"));
        Bytes batch = builder.finish();
        EXPECT_TRUE(co_await log->append_as_leader({.records = batch}));
      }
      EXPECT_TRUE(co_await log->flush());
      EXPECT_TRUE(co_await log->close());
      EXPECT_TRUE(co_await directory->mark_clean_shutdown(1));
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
    node.disk.crash(world.random());
    world.boot(node, [seed](Environment& environment) -> task<void> {
      auto directory = std::move(*co_await LogDirectory::open(environment, "/data"));
      EXPECT_TRUE(directory->had_clean_shutdown());
      OpenFiles open_files(environment.files(), 16);
      LogOptions options = options_of(environment, open_files);
      options.had_clean_shutdown = true;
      options.producers.producer_id_expiration_ms = INT64_MAX;
      auto log = std::move(*co_await Log::open(std::move(options)));
      EXPECT_EQ(log->log_end_offset(), Offset(5)) << "seed " << seed;
      for (int i = 0; i < 5; ++i) {
        const auto found = co_await log->offset_for_timestamp(first_ms + i);
        EXPECT_TRUE(found && *found && (*found)->offset == Offset(i)) << "seed " << seed << ", record " << i;
      }
      const ProducerEntry* producer = log->producers().find(ProducerId(7));
      EXPECT_TRUE(producer != nullptr && producer->last_sequence() == 4) << "seed " << seed;
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
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
    World world(seed);
    Node& node = world.add_node("node");
    world.boot(node, [](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      OpenFiles open_files(environment.files(), 4);
      LogOptions options = options_of(environment, open_files);
      options.config.retention_bytes = 1;
      options.config.flush_messages = INT64_MAX;
      auto log = std::move(*co_await Log::open(std::move(options)));
      bool stop = false;
      runtime::Scope readers;
      for (int i = 0; i < 3; ++i) readers.spawn(read_on(*log, stop));
      for (int i = 0; i < 12; ++i) {
        Bytes batch = batch_at(first_ms + i);
        EXPECT_TRUE(co_await log->append_as_leader({.records = batch}));
        log->update_high_watermark(log->log_end_offset());
        if (i % 2 == 1) EXPECT_TRUE(co_await log->roll());
        if (i % 4 == 3) EXPECT_TRUE(co_await log->delete_old_segments());
      }
      stop = true;
      co_await readers.join();
      EXPECT_FALSE(log->is_offline());
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us)) << "seed " << seed;
  }
}

// Twelve records a millisecond apart, two in a segment, opened again so that nothing of it has been looked at.
task<std::unique_ptr<Log>> log_of_an_earlier_run(Environment& environment, OpenFiles& open_files) {
  auto log = std::move(*co_await Log::open(options_of(environment, open_files)));
  for (int i = 0; i < 12; ++i) {
    Bytes batch = batch_at(first_ms + i);
    EXPECT_TRUE(co_await log->append_as_leader({.records = batch}));
    if (i % 2 == 1) EXPECT_TRUE(co_await log->roll());
  }
  co_await log->abandon();
  LogOptions again = options_of(environment, open_files);
  again.recovery_point = Offset(12);
  again.had_clean_shutdown = true;
  log = std::move(*co_await Log::open(std::move(again)));
  log->update_high_watermark(log->log_end_offset());
  co_return log;
}

// A lookup has an answer, whatever goes meanwhile.
task<void> expect_answer(Log& log, int64_t timestamp_ms) {
  const auto found = co_await log.offset_for_timestamp(timestamp_ms);
  EXPECT_TRUE(found) << found.error().message;
}

TEST(SimulatedLog, retention_takes_no_time_from_lookups_but_of_what_it_removes) {
  for (uint64_t seed = 0; seed < rounds_for_test(100); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    world.boot(node, [](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      OpenFiles open_files(environment.files(), 4);
      const auto log = co_await log_of_an_earlier_run(environment, open_files);
      runtime::Scope readers;
      for (int i = 0; i < 12; i += 2) {
        for (const int64_t timestamp_ms : {first_ms + i, first_ms + i + 3, max_timestamp}) readers.spawn(expect_answer(*log, timestamp_ms));
        EXPECT_TRUE(co_await log->delete_records_before(Offset(i + 2)));
        EXPECT_TRUE(co_await log->delete_old_segments());
      }
      co_await readers.join();
      EXPECT_FALSE(log->is_offline());
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us)) << "seed " << seed;
  }
}

// The answer may be an error: the log is going away.
task<void> look_up(Log& log, int64_t timestamp_ms) {
  (void)co_await log.offset_for_timestamp(timestamp_ms);
}

// A topic is deleted, or a partition has moved: its directory has another name all of a sudden.
TEST(SimulatedLog, whoever_reads_in_a_log_that_goes_away_does_not_fail_the_directory) {
  for (uint64_t seed = 0; seed < rounds_for_test(100); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    world.boot(node, [](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      OpenFiles open_files(environment.files(), 4);
      const auto log = co_await log_of_an_earlier_run(environment, open_files);
      const DirectoryHealthPtr health = log->health();
      runtime::Scope readers;
      for (int i = 0; i < 12; ++i) readers.spawn(look_up(*log, first_ms + i));
      EXPECT_TRUE(co_await log->rename_directory("t-0.0123456789abcdef0123456789abcdef-delete"));
      co_await readers.join();
      EXPECT_FALSE(health->is_offline());
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us)) << "seed " << seed;
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
    World world(seed);
    Node& node = world.add_node("node");
    world.boot(node, [&node](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      OpenFiles open_files(environment.files(), 16);
      auto log = std::move(*co_await Log::open(options_of(environment, open_files)));
      for (int i = 0; i < 4; ++i) {
        Bytes batch = batch_at(first_ms + i);
        EXPECT_TRUE(co_await log->append_as_leader({.records = batch}));
        if (i == 1) EXPECT_TRUE(co_await log->roll());
      }
      co_await log->close();
      for (const std::string& file : node.disk.files("/data")) EXPECT_EQ(node.disk.set_modified_ms(file, 0), 0);
      LogOptions again = options_of(environment, open_files);
      again.recovery_point = Offset(4);
      again.had_clean_shutdown = true;
      log = std::move(*co_await Log::open(std::move(again)));
      runtime::Scope readers;
      for (int i = 0; i < 6; ++i) readers.spawn(expect_at(*log, first_ms + 1, Offset(1)));
      co_await readers.join();
      co_await log->abandon();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace moldau::storage
