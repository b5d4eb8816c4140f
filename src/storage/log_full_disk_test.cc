// Retention on a disk that is full to its last byte: what must go makes the room, and nothing is forgotten for it.
#include "protocol/batch_builder.h"
#include "storage/simulated_world_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::task;
using runtime::simulated::Disk;

Bytes first_batch_of(int64_t producer_id) {
  protocol::BatchBuilder builder({.producer_id = ProducerId(producer_id), .producer_epoch = ProducerEpoch(0), .base_sequence = 0});
  builder.append(1'767'225'600'000, std::nullopt, as_bytes("value"));
  return builder.finish();
}

constexpr int producers = 300;  // whose snapshot is larger than the room that a roll's trimmed indexes leave

// A segment of many producers' batches; the disk is full when it rolls, and so there is no snapshot of them when it must go.
task<void> fill_and_delete(Disk& disk, Log& log) {
  for (int i = 0; i < producers; ++i) {
    Bytes batch = first_batch_of(i);
    EXPECT_TRUE(co_await log.append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(0)}));
  }
  disk.capacity_bytes = disk.used_bytes();
  EXPECT_TRUE(co_await log.roll());
  Bytes batch = first_batch_of(producers);
  EXPECT_TRUE(co_await log.append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(0)}));
  log.update_high_watermark(log.log_end_offset());
  disk.capacity_bytes = disk.used_bytes();
  const auto deleted = co_await log.delete_old_segments();
  EXPECT_TRUE(deleted && *deleted == 1) << (deleted ? "" : deleted.error().message);
  EXPECT_EQ(log.log_start_offset(), Offset(producers));
  EXPECT_FALSE(log.is_offline());
}

task<void> repeat_all(Log& log) {
  for (int i = 0; i <= producers; ++i) {
    Bytes batch = first_batch_of(i);
    const auto repeat = co_await log.append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(0)});
    EXPECT_TRUE(repeat && repeat->is_duplicate) << "producer " << i << (repeat ? " is new" : repeat.error().message);
  }
}

TEST(LogFullDisk, RetentionMakesRoomAndForgetsNoProducer) {
  for (const bool was_only_killed : {true, false}) {
    SCOPED_TRACE(was_only_killed);
    SimulatedLogWorld world(1);
    Disk& disk = world.node.disk;
    world.options.config.retention_bytes = 1;
    world.options.config.retention_ms = -1;
    world.tell([&disk](Log& log) { return fill_and_delete(disk, log); });
    world.kill();
    disk.capacity_bytes = UINT64_MAX;
    world.options.log_start_offset = Offset(producers);
    world.options.was_only_killed = was_only_killed;
    world.run(repeat_all);
  }
}

}  // namespace
}  // namespace moldau::storage::test
