// A partition that is led here no longer while clients wait for it, on a simulated disk whose flushes take their time.
#include "broker/partition.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "protocol/batch_builder.h"
#include "runtime/scope.h"
#include "runtime/simulated/world.h"
#include "storage/open_files.h"

namespace moldau::broker {
namespace {

using protocol::ErrorCode;
using runtime::Environment;
using runtime::task;

Bytes one_record() {
  protocol::BatchBuilder builder(protocol::BatchOptions{});
  builder.append(1'750'000'000'000, std::nullopt, as_bytes("value"));
  return builder.finish();
}

storage::LogOptions log_options(Environment& environment, storage::OpenFiles& open_files, storage::DirectoryHealthPtr health) {
  storage::LogOptions options;
  options.environment = &environment;
  options.open_files = &open_files;
  options.health = std::move(health);
  options.directory = "/data/t-0";
  options.topic = "t";
  options.topic_id = Uuid{1, 2};
  options.config.segment_index_bytes = 4096;
  return options;
}

// t-0, which acknowledges what is on stable storage (moldau.durable.acks).
struct PartitionWorld {
  MetricRegistry metrics;
  std::shared_ptr<Partition> partition;
  std::optional<AppendAnswer> answer;  // to append()
  runtime::Scope clients;
  Bytes batch = one_record();

  void append(int16_t acks, int64_t deadline_us = INT64_MAX) { clients.spawn(append_as_client(*this, acks, deadline_us)); }
  static task<void> append_as_client(PartitionWorld& world, int16_t acks, int64_t deadline_us) {
    world.answer = co_await world.partition->append(world.batch, {.acks = acks, .produce_version = 9, .deadline_us = deadline_us});
  }
  // Until the record is in the log; its flush goes on.
  task<void> appended() const {
    runtime::Signal never;
    while (partition->log().log_end_offset() == Offset(0)) co_await never.wait_until(runtime::Shard::current().now_us() + 1);
  }
};

using Story = task<void> (*)(PartitionWorld&);

task<void> tell(Environment& environment, Story story, bool& done) {
  EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
  storage::OpenFiles open_files(environment.files(), 16);
  const auto health = std::make_shared<storage::DirectoryHealth>("/data");
  std::shared_ptr<storage::Log> log = std::move(*co_await storage::Log::open(log_options(environment, open_files, health)));
  PartitionWorld world;
  storage::GroupCommit commits(environment.files(), health,
                               {.rounds = &world.metrics.counter("rounds", ""),
                                .logs = &world.metrics.counter("logs", ""),
                                .flush = &world.metrics.histogram("flush", "")});
  world.partition = std::make_shared<Partition>(Partition::Identity{.topic = "t", .topic_id = Uuid{1, 2}, .leader_epoch = 0}, log,
                                                PartitionMetrics{.bytes_in = world.metrics.shared_counter("bytes", "", {}),
                                                                 .records_in = world.metrics.shared_counter("records", "", {})});
  world.partition->set_commits(&commits);
  co_await story(world);
  co_await world.clients.join();
  co_await commits.stop();
  world.partition.reset();
  co_await log->abandon();
  done = true;
}

void with_partition(Story story) {
  runtime::simulated::World world(1);
  runtime::simulated::Node& node = world.add_node("node");
  bool done = false;
  world.boot(node, [story, &done](Environment& environment) { return tell(environment, story, done); });
  EXPECT_TRUE(world.run_until([&done] { return done; }, 60'000'000)) << "the story does not end";
}

TEST(Partition, AProducerWaitsUntilItsRecordsAreOnStableStorage) {
  with_partition([](PartitionWorld& world) -> task<void> {
    world.append(-1);
    co_await world.appended();
    EXPECT_FALSE(world.answer);
    EXPECT_EQ(world.partition->log().high_watermark(), Offset(0));
    co_await world.clients.join();
    EXPECT_EQ(world.answer->error, ErrorCode::none);
    EXPECT_EQ(world.answer->base_offset, 0);
    EXPECT_EQ(world.partition->log().high_watermark(), Offset(1));
  });
}

TEST(Partition, AProducerThatWaitsWhenItIsRetiredIsToldAtOnceThatTheLeaderIsElsewhere) {
  with_partition([](PartitionWorld& world) -> task<void> {
    world.append(-1);
    co_await world.appended();
    world.partition->retire();
    co_await world.clients.join();
    EXPECT_EQ(world.partition->log().high_watermark(), Offset(0));  // it did not wait for the flush
    EXPECT_EQ(world.answer->error, ErrorCode::not_leader_or_follower);
    EXPECT_EQ(world.answer->base_offset, -1);
  });
}

TEST(Partition, OneThatIsRetiredAcknowledgesNothingThatItWouldHaveToWaitFor) {
  with_partition([](PartitionWorld& world) -> task<void> {
    world.partition->retire();
    world.append(-1);
    co_await world.clients.join();
    EXPECT_EQ(world.answer->error, ErrorCode::not_leader_or_follower);
    Bytes own = one_record();
    EXPECT_EQ(co_await world.partition->append_own(own), ErrorCode::not_leader_or_follower);
  });
}

// A handler that found the partition before it was dropped appends after: what it holds must still be there.
TEST(Partition, AnAppendUnderWayMayCountWhenTheTopicsMetricsAreGone) {
  with_partition([](PartitionWorld& world) -> task<void> {
    world.partition->retire();
    world.metrics.retire("bytes", {});
    world.metrics.retire("records", {});
    world.append(1);
    co_await world.clients.join();
    EXPECT_EQ(world.answer->error, ErrorCode::none);
    EXPECT_EQ(world.metrics.counter("records", "").value(), 0U);  // of a topic that is registered anew
  });
}

TEST(Partition, AFetchThatWaitsIsWokenWhenItIsRetiredAndNoLaterOneIsLeftWaiting) {
  with_partition([](PartitionWorld& world) -> task<void> {
    const auto waiting = std::make_shared<FetchWatch>(runtime::Shard::current());
    world.partition->add_watch(waiting);
    EXPECT_FALSE(waiting->is_over());
    world.partition->retire();
    EXPECT_TRUE(waiting->is_over());
    // Who had found it before, and comes after, is woken when the last of them lets it go.
    const auto late = std::make_shared<FetchWatch>(runtime::Shard::current());
    world.partition->add_watch(late);
    world.partition.reset();
    EXPECT_TRUE(late->is_over());
    co_return;
  });
}

TEST(Partition, AProducerThatWaitsLongerThanItWouldIsToldSo) {
  with_partition([](PartitionWorld& world) -> task<void> {
    world.append(-1, runtime::Shard::current().now_us() + 1);
    co_await world.clients.join();
    EXPECT_EQ(world.answer->error, ErrorCode::request_timed_out);
  });
}

TEST(Partition, OfAnotherLeaderEpochAClientIsToldWhichSideIsBehind) {
  with_partition([](PartitionWorld& world) -> task<void> {
    world.partition->set_leader_epoch(3);
    EXPECT_EQ(world.partition->check_leader_epoch(3), ErrorCode::none);
    EXPECT_EQ(world.partition->check_leader_epoch(-1), ErrorCode::none);
    EXPECT_EQ(world.partition->check_leader_epoch(2), ErrorCode::fenced_leader_epoch);
    EXPECT_EQ(world.partition->check_leader_epoch(4), ErrorCode::unknown_leader_epoch);
    co_return;
  });
}

}  // namespace
}  // namespace moldau::broker
