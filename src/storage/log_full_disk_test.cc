// Retention on a disk that is full to its last byte: what must go makes the room, and nothing is forgotten for it.
#include <gtest/gtest.h>

#include "protocol/batch_builder.h"
#include "runtime/simulated/world.h"
#include "storage/log.h"
#include "storage/open_files.h"

namespace moldau::storage::full_disk_test {
namespace {

using runtime::Environment;
using runtime::task;
using runtime::simulated::Node;
using runtime::simulated::World;

constexpr int64_t second_us = 1'000'000;

Bytes batch_of(int64_t producer_id, int32_t sequence) {
  protocol::BatchBuilder builder({.producer_id = ProducerId(producer_id), .producer_epoch = ProducerEpoch(0), .base_sequence = sequence});
  builder.append(1'767'225'600'000, std::nullopt, as_bytes("value"));
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
  options.config.retention_bytes = 1;
  options.config.retention_ms = -1;
  options.config.segment_index_bytes = 4096;
  return options;
}

constexpr int producers = 300;  // whose snapshot is larger than the room that a roll's trimmed indexes leave

// A segment of many producers' batches; the disk is full when it rolls, and so there is no snapshot of them when it must go.
task<void> fill_and_delete(Node& node, Environment& environment, bool& done) {
  EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
  OpenFiles open_files(environment.files(), 16);
  auto log = std::move(*co_await Log::open(options_of(environment, open_files)));
  for (int i = 0; i < producers; ++i) {
    Bytes batch = batch_of(i, 0);
    EXPECT_TRUE(co_await log->append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(0)}));
  }
  node.disk.capacity_bytes = node.disk.used_bytes();
  EXPECT_TRUE(co_await log->roll());
  Bytes batch = batch_of(producers, 0);
  EXPECT_TRUE(co_await log->append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(0)}));
  log->update_high_watermark(log->log_end_offset());
  node.disk.capacity_bytes = node.disk.used_bytes();
  const auto deleted = co_await log->delete_old_segments();
  EXPECT_TRUE(deleted && *deleted == 1) << (deleted ? "" : deleted.error().message);
  EXPECT_EQ(log->log_start_offset(), Offset(producers));
  EXPECT_FALSE(log->is_offline());
  done = true;
  co_await runtime::sleep_ms(1'000'000);
}

task<void> repeat_all(Environment& environment, bool was_only_killed) {
  OpenFiles open_files(environment.files(), 16);
  LogOptions options = options_of(environment, open_files);
  options.log_start_offset = Offset(producers);
  options.was_only_killed = was_only_killed;
  auto log = std::move(*co_await Log::open(std::move(options)));
  for (int i = 0; i <= producers; ++i) {
    Bytes batch = batch_of(i, 0);
    const auto repeat = co_await log->append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(0)});
    EXPECT_TRUE(repeat && repeat->is_duplicate) << "producer " << i << (repeat ? " is new" : repeat.error().message);
  }
  co_await log->abandon();
}

TEST(LogFullDisk, RetentionMakesRoomAndForgetsNoProducer) {
  for (const bool was_only_killed : {true, false}) {
    SCOPED_TRACE(was_only_killed);
    World world(1);
    Node& node = world.add_node("node");
    bool done = false;
    world.boot(node, [&](Environment& environment) { return fill_and_delete(node, environment, done); });
    ASSERT_TRUE(world.run_until([&] { return done; }, 60 * second_us));
    world.kill(node);
    node.disk.capacity_bytes = UINT64_MAX;
    world.boot(node, [&](Environment& environment) { return repeat_all(environment, was_only_killed); });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
  }
}

}  // namespace
}  // namespace moldau::storage::full_disk_test
