// Moving a log to another directory on a simulated disk: while it is appended to, and with a stop at every step.
#include "storage/future_log.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/sanitizer.h"
#include "protocol/batch_builder.h"
#include "runtime/simulated/world.h"
#include "storage/open_files.h"
#include "storage/partition_directory.h"

namespace moldau::storage {
namespace {

using runtime::Environment;
using runtime::task;
using runtime::simulated::Node;
using runtime::simulated::World;

constexpr int64_t second_us = 1'000'000;
constexpr int64_t first_ms = 1'750'000'000'000;
constexpr const char* future_name = "t-0.0123456789abcdef0123456789abcdef-future";
constexpr const char* deleted_name = "t-0.0123456789abcdef0123456789abcdef-delete";

Bytes batch_of_producer(int64_t producer, int32_t sequence) {
  protocol::BatchOptions options;
  options.producer_id = ProducerId(producer);
  options.producer_epoch = ProducerEpoch(0);
  options.base_sequence = sequence;
  protocol::BatchBuilder builder(options);
  builder.append(first_ms + sequence, std::nullopt, as_bytes("value " + std::to_string(sequence)));
  return builder.finish();
}

// Two directories of one machine, and the log of one partition that clients use.
struct Directories {
  explicit Directories(Environment& of) : environment(of), open_files(of.files(), 64) {}

  Environment& environment;
  OpenFiles open_files;
  DirectoryHealthPtr a = std::make_shared<DirectoryHealth>("/a");
  DirectoryHealthPtr b = std::make_shared<DirectoryHealth>("/b");
  std::shared_ptr<Log> current;
  std::shared_ptr<Log> future;
  int acknowledged = 0;  // records of producer 7; each flushed
  bool is_moved = false;

  [[nodiscard]] LogOptions options(const DirectoryHealthPtr& health, const std::string& name) {
    LogOptions made;
    made.environment = &environment;
    made.open_files = &open_files;
    made.health = health;
    made.directory = health->path() + "/" + name;
    made.topic = "t";
    made.topic_id = Uuid{1, 2};
    made.config.flush_messages = 1;
    made.config.segment_bytes = 600;  // a few batches
    made.config.segment_index_bytes = 4096;
    made.config.file_delete_delay_ms = 0;
    return made;
  }
  task<void> open() {
    for (const auto& health : {a, b}) EXPECT_TRUE(co_await runtime::make_directories(environment.files(), health->path()));
    current = std::move(*co_await Log::open(options(a, "t-0")));
    LogOptions made = options(b, future_name);
    made.config = future_log_config(made.config);
    future = std::move(*co_await Log::open(std::move(made)));
  }
  task<bool> append(int64_t producer, int32_t sequence) {
    while (true) {
      const std::shared_ptr<Log> log = current;
      Bytes batch = batch_of_producer(producer, sequence);
      const auto appended = co_await log->append_as_leader({.records = batch});
      if (!appended && log != current) continue;  // it waited while the other log came
      EXPECT_TRUE(appended) << appended.error().message;
      if (appended) log->update_high_watermark(log->log_end_offset());
      co_return appended && appended->is_duplicate;
    }
  }
  task<void> append_until_moved(int at_most) {
    for (int more = 3; acknowledged < at_most && more > 0; more -= static_cast<int>(is_moved)) {
      co_await append(7, acknowledged);
      ++acknowledged;
    }
  }
  task<void> move() {
    EXPECT_TRUE(co_await align_future(*current, *future));
    Bytes buffer;
    while (!is_moved) {
      while (true) {
        const auto copied = co_await copy_to_future(*current, *future, 200, buffer);
        EXPECT_TRUE(copied) << copied.error().message;
        if (!copied) co_return;
        if (*copied == 0) break;
      }
      const std::shared_ptr<Log> before = current;
      const auto promoted = co_await promote_future(*before, *future, [this] { current = future; });
      EXPECT_TRUE(promoted) << promoted.error().message;
      if (!promoted) co_return;
      if (!*promoted) continue;
      EXPECT_TRUE(co_await before->rename_directory(deleted_name));
      EXPECT_TRUE(co_await before->sync_name());
      co_await before->abandon();
      is_moved = true;
    }
  }
  task<void> close() {
    for (const auto& log : {current, future}) co_await log->abandon();
  }
};

std::vector<std::string> values_of(ByteView bytes) {
  std::vector<std::string> values;
  protocol::BatchCursor cursor(bytes);
  while (true) {
    const auto batch = cursor.next();
    if (!batch || !*batch) return values;
    protocol::RecordIterator records((*batch)->bytes);
    while (true) {
      const auto record = records.next();
      if (!record || *record == nullptr) break;
      if ((*record)->value) values.emplace_back(as_text(*(*record)->value));
    }
  }
}

task<std::vector<std::string>> read_all(Log& log) {
  std::vector<std::string> values;
  for (Offset next = log.log_start_offset(); next < log.log_end_offset();) {
    const auto read = co_await log.read(next, 1, true, ReadIsolation::log_end);
    EXPECT_TRUE(read && read->file);
    if (!read || !read->file) co_return values;
    Bytes bytes(read->size_bytes);
    EXPECT_TRUE(co_await read->file->read_at(read->position, bytes));
    for (std::string& value : values_of(bytes)) values.push_back(std::move(value));
    next = protocol::read_batch_header(bytes).next_offset();
  }
  co_return values;
}

TEST(FutureLog, takes_the_place_of_a_log_that_is_appended_to) {
  for (uint64_t seed = 0; seed < rounds_for_test(30); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    world.boot(node, [&](Environment& environment) -> task<void> {
      Directories world_of(environment);
      co_await world_of.open();
      // A producer whose only record goes before the move.
      EXPECT_FALSE(co_await world_of.append(3, 0));
      for (; world_of.acknowledged < 6; ++world_of.acknowledged) co_await world_of.append(7, world_of.acknowledged);
      EXPECT_TRUE(co_await world_of.current->roll());
      EXPECT_TRUE(co_await world_of.current->delete_records_before(Offset(2)));
      runtime::Scope tasks;
      tasks.spawn(world_of.append_until_moved(40));
      tasks.spawn(world_of.move());
      co_await tasks.join();
      EXPECT_EQ(world_of.current->directory(), "/b/t-0");
      EXPECT_EQ(world_of.current->log_start_offset(), Offset(2));
      EXPECT_EQ(world_of.current->log_end_offset(), Offset(world_of.acknowledged + 1));
      EXPECT_EQ(world_of.current->config().flush_messages, 1);
      const auto values = co_await read_all(*world_of.current);
      EXPECT_EQ(values.size(), static_cast<size_t>(world_of.acknowledged - 1)) << "seed " << seed;
      for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], "value " + std::to_string(i + 1));
      EXPECT_TRUE(co_await world_of.append(3, 0)) << "the producer's record has gone, and a repeat of it is taken for new";
      EXPECT_TRUE(co_await world_of.append(7, world_of.acknowledged - 1));
      co_await world_of.close();
    });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us)) << "seed " << seed;
  }
}

// Tells a story of an opened log and the copy of it that is begun, on a machine of their own, and closes both.
void tell(const std::function<task<void>(Node&, Directories&)>& story) {
  World world(1);
  Node& node = world.add_node("node");
  world.boot(node, [&](Environment& environment) -> task<void> {
    Directories world_of(environment);
    co_await world_of.open();
    co_await story(node, world_of);
    co_await world_of.close();
  });
  ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
}

TEST(FutureLog, goes_back_to_the_common_history_before_it_goes_on) {
  tell([](Node&, Directories& world_of) -> task<void> {
    for (int i = 0; i < 8; ++i) co_await world_of.append(7, i);
    Bytes buffer;
    EXPECT_TRUE(co_await copy_to_future(*world_of.current, *world_of.future, 1, buffer));
    while (world_of.future->log_end_offset() < Offset(8)) EXPECT_TRUE(co_await copy_to_future(*world_of.current, *world_of.future, 1, buffer));
    EXPECT_TRUE(co_await world_of.current->truncate_to(Offset(5)));
    EXPECT_FALSE(holds_all_of(*world_of.current, *world_of.future));
    EXPECT_TRUE(co_await align_future(*world_of.current, *world_of.future));
    EXPECT_EQ(world_of.future->log_end_offset(), Offset(5));
    // What is gone from the current log is not asked for again.
    EXPECT_TRUE(co_await world_of.current->truncate_fully_and_start_at(Offset(100)));
    EXPECT_TRUE(co_await align_future(*world_of.current, *world_of.future));
    EXPECT_EQ(world_of.future->log_start_offset(), Offset(100));
    EXPECT_EQ(world_of.future->log_end_offset(), Offset(100));
  });
}

// The first batch is copied whole, as it lies, though readers see a part of it alone.
TEST(FutureLog, a_log_that_begins_within_a_batch_is_copied) {
  tell([](Node&, Directories& world_of) -> task<void> {
    protocol::BatchBuilder builder(protocol::BatchOptions{});
    for (int i = 0; i < 4; ++i) builder.append(first_ms, std::nullopt, as_bytes("value"));
    Bytes batch = builder.finish();
    EXPECT_TRUE(co_await world_of.current->append_as_leader({.records = batch}));
    world_of.current->update_high_watermark(Offset(4));
    EXPECT_TRUE(co_await world_of.current->delete_records_before(Offset(2)));
    co_await world_of.move();
    EXPECT_EQ(world_of.current->directory(), "/b/t-0");
    EXPECT_EQ(world_of.current->log_start_offset(), Offset(2));
    EXPECT_EQ(world_of.current->log_end_offset(), Offset(4));
  });
}

// Before the move all records were deleted, and a batch was cut that ended behind them: the copy begins, and ends, where none is. A kill
// brings the deleted ones back in the old log alone.
TEST(FutureLog, a_copy_without_records_does_not_part_from_a_log_that_has_its_deleted_ones_again) {
  tell([](Node&, Directories& world_of) -> task<void> {
    const auto append = [](Log& log, int64_t producer) -> task<void> {
      Bytes batch = batch_of_producer(producer, 0);
      EXPECT_TRUE(co_await log.append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(static_cast<int32_t>(20 - producer))}));
    };
    for (const int64_t producer : {9, 8, 7}) co_await append(*world_of.current, producer);
    EXPECT_TRUE(co_await world_of.future->truncate_fully_and_start_at(Offset(4)));
    for (const bool prefers_other : {false, true}) {
      ChoiceOfTwo choice = choose_of_two(*world_of.current, *world_of.future, prefers_other);
      EXPECT_FALSE(choice.takes_other);
      EXPECT_FALSE(choice.loses_records);
      choice = choose_of_two(*world_of.future, *world_of.current, prefers_other);
      EXPECT_TRUE(choice.takes_other);
      EXPECT_FALSE(choice.loses_records);
    }
    // With a record of its own, of an epoch before the other one's last, it is not given up without a word.
    co_await append(*world_of.future, 10);
    const ChoiceOfTwo choice = choose_of_two(*world_of.current, *world_of.future, false);
    EXPECT_FALSE(choice.takes_other);
    EXPECT_TRUE(choice.loses_records);
  });
}

TEST(FutureLog, damaged_bytes_are_not_copied) {
  tell([](Node& node, Directories& world_of) -> task<void> {
    for (int i = 0; i < 3; ++i) co_await world_of.append(7, i);
    node.disk.flip_bit("/a/t-0/00000000000000000000.log", 100, 3);
    Bytes buffer;
    const auto copied = co_await copy_to_future(*world_of.current, *world_of.future, 1000, buffer);
    EXPECT_FALSE(copied);
    if (!copied) EXPECT_EQ(copied.error().code, protocol::ErrorCode::corrupt_message);
    EXPECT_EQ(world_of.future->log_end_offset(), Offset(0));
    EXPECT_FALSE(world_of.current->is_offline());
  });
}

TEST(FutureLog, a_copy_does_not_take_what_a_full_disk_keeps_for_the_node) {
  tell([](Node&, Directories& world_of) -> task<void> {
    for (int i = 0; i < 3; ++i) co_await world_of.append(7, i);
    world_of.b->set_room(10);
    Bytes buffer;
    EXPECT_FALSE(co_await copy_to_future(*world_of.current, *world_of.future, 1000, buffer));
    world_of.b->set_room(10'000);
    EXPECT_TRUE(co_await copy_to_future(*world_of.current, *world_of.future, 1000, buffer));
    EXPECT_EQ(world_of.future->log_end_offset(), Offset(3));
  });
}

// What a start finds: the logs under the partition's own name, of which the one that holds the other is taken.
task<void> expect_all(Environment& environment, int acknowledged, std::string when) {
  Directories world_of(environment);
  std::vector<std::shared_ptr<Log>> live;
  for (const auto& health : {world_of.a, world_of.b}) {
    runtime::FileSystem& files = environment.files();
    if (!co_await files.status(health->path() + "/t-0")) continue;
    auto opened = co_await Log::open(world_of.options(health, "t-0"));
    EXPECT_TRUE(opened) << when;
    if (opened) live.push_back(std::move(*opened));
  }
  EXPECT_FALSE(live.empty()) << when << " no directory holds the partition";
  if (!live.empty()) {
    Log& taken = live.size() == 2 && holds_all_of(*live[1], *live[0]) ? *live[1] : *live[0];
    if (live.size() == 2) EXPECT_TRUE(holds_all_of(taken, *live[0]) && holds_all_of(taken, *live[1])) << when;
    const auto values = co_await read_all(taken);
    EXPECT_GE(values.size(), static_cast<size_t>(acknowledged)) << when << " acknowledged records are lost in " << taken.directory();
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], "value " + std::to_string(i)) << when;
  }
  for (const auto& log : live) co_await log->abandon();
}

TEST(FutureLog, one_whole_log_is_found_after_a_stop_at_any_step) {
  int cuts = 0;
  for (uint64_t seed = 0; seed < rounds_for_test(40); ++seed) {
    for (uint64_t steps = 0;; ++steps) {
      World world(seed);
      Node& node = world.add_node("node");
      Directories* survivor = nullptr;  // in the process's frame, which stays when it is cut off
      bool is_open = false;
      bool done = false;
      world.boot(node, [&](Environment& environment) -> task<void> {
        Directories world_of(environment);
        survivor = &world_of;
        co_await world_of.open();
        is_open = true;
        runtime::Scope tasks;
        tasks.spawn(world_of.append_until_moved(12));
        tasks.spawn(world_of.move());
        co_await tasks.join();
        done = true;
        co_await runtime::sleep_ms(1'000'000);
      });
      ASSERT_TRUE(world.run_until([&] { return is_open; }, 60 * second_us));
      for (uint64_t i = 0; i < steps && !done; ++i) world.step();
      const std::string when = fmt::format("seed {}, {} steps:", seed, steps);
      const int acknowledged = survivor->acknowledged;
      const bool was_done = done;
      if (cuts++ % 3 == 0)
        world.kill(node);
      else
        world.crash(node);
      world.boot(node, [&](Environment& environment) { return expect_all(environment, acknowledged, when); });
      ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us)) << when;
      if (was_done) break;
    }
  }
  EXPECT_GT(cuts, static_cast<int>(rounds_for_test(2000)));
}

}  // namespace
}  // namespace moldau::storage
