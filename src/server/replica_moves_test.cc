// Moves between log directories: under load, turned back, interrupted.
#include "server/log_directories_for_test.h"

namespace moldau::server {
namespace {

TEST(ReplicaMoves, AMoveKeepsEveryRecordWhileOthersCome) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Machine machine(seed);
    std::string target;
    machine.run([&](TestBroker& broker) -> task<void> {
      co_await create(broker, "t", 1, {{"segment.bytes", "1048576"}});
      target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
      for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(1000, 'x')), 0);
      EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
      EXPECT_EQ(co_await move(broker, "t", 0, target), 0) << "asked again";
      for (int i = 0; i < 30; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(1000, 'y')), 0) << "seed " << seed;
      co_await wait_for_moves(broker);
      co_await runtime::sleep_ms(50);
      EXPECT_EQ(directory_of(broker, "t", 0), target);
      EXPECT_EQ(assigned_directory_of(broker, "t", 0), target);
      EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(50));
      EXPECT_EQ(co_await produce(broker, "t", 0, "z"), 0);
      EXPECT_EQ(find(broker, "t", 0)->log().high_watermark(), Offset(51));
    });
    machine.run([&](TestBroker& broker) -> task<void> {
      EXPECT_EQ(directory_of(broker, "t", 0), target);
      EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(51));
      co_return;
    });
  }
}

TEST(ReplicaMoves, BatchesOfOneProducerDoNotOvertakeEachOtherInAMove) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Machine machine(seed, 1);
    machine.run([&](TestBroker& broker) -> task<void> {
      co_await create(broker, "t", 1);
      const std::string target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
      int errors = 0;
      int32_t sequence = 0;
      EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
      runtime::Scope requests;
      for (int i = 0; i < 4000 && directory_of(broker, "t", 0) != target; ++i) {
        while (requests.running() < 5) requests.spawn(produce_in_sequence(broker, sequence++, errors));
        co_await runtime::yield();
      }
      co_await requests.join();
      EXPECT_EQ(directory_of(broker, "t", 0), target);
      EXPECT_EQ(errors, 0) << "seed " << seed;
    });
  }
}

TEST(ReplicaMoves, AMoveCanBeSeenTurnedBackAndGoesOnAfterARestart) {
  Machine machine;
  std::string from;
  std::string target;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1);
    from = directory_of(broker, "t", 0);
    target = from == "/a" ? "/b" : "/a";
    for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(1000, 'x')), 0);
    co_await set_rate(broker, "1000");
    EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
    co_await runtime::sleep_ms(2000);
    protocol::DescribeLogDirsRequest request;
    request.topics.reset();
    const auto all = co_await broker.ask<protocol::DescribeLogDirsResponse>(request);
    int futures = 0;
    for (const auto& directory : all.results)
      for (const auto& topic : directory.topics)
        for (const auto& partition : topic.partitions) {
          if (!partition.is_future_key) continue;
          ++futures;
          EXPECT_EQ(directory.log_dir, target);
          EXPECT_GT(partition.offset_lag, 0);
          EXPECT_LT(partition.offset_lag, 100);
          EXPECT_GT(partition.partition_size, 0);
        }
    EXPECT_EQ(futures, 1);
    EXPECT_EQ(co_await move(broker, "t", 0, from), 0) << "back to where it lies";
    co_await wait_for_moves(broker);
    EXPECT_EQ(directory_of(broker, "t", 0), from);
    EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
    co_await runtime::sleep_ms(2000);
    EXPECT_EQ(directory_of(broker, "t", 0), from);
  });
  machine.run([&](TestBroker& broker) -> task<void> {
    EXPECT_EQ(directory_of(broker, "t", 0), from);
    co_await set_rate(broker, "100000000");
    co_await wait_for_moves(broker);
    EXPECT_EQ(directory_of(broker, "t", 0), target);
    EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(100));
  });
}

TEST(ReplicaMoves, ATopicThatIsDeletedTakesItsCopyWithIt) {
  Machine machine;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1);
    const std::string target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
    for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(1000, 'x')), 0);
    co_await set_rate(broker, "1000");
    EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
    protocol::DeleteTopicsRequest request;
    request.topics.emplace_back().name = "t";
    const auto deleted = co_await broker.ask<protocol::DeleteTopicsResponse>(std::move(request));
    EXPECT_EQ(deleted.responses.at(0).error_code, 0);
    for (const char* directory : {"/a", "/b"}) {
      const auto entries = co_await broker.broker().environment.files().list(directory);
      for (const auto& entry : *entries)
        EXPECT_FALSE(entry.is_directory && !entry.name.ends_with("-delete")) << directory << "/" << entry.name;
    }
  });
}

TEST(ReplicaMoves, WhatCannotBeMovedIsRefused) {
  Machine machine;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1);
    EXPECT_EQ(co_await move(broker, "t", 0, "/nowhere"), static_cast<int16_t>(ErrorCode::log_dir_not_found));
    EXPECT_EQ(co_await move(broker, "t", 7, "/a"), static_cast<int16_t>(ErrorCode::unknown_topic_or_partition));
    EXPECT_EQ(co_await move(broker, std::string(240, 'x'), 0, "/a"), static_cast<int16_t>(ErrorCode::invalid_topic_exception));
  });
}

// The power goes at some moment of a move under load: what was acknowledged and flushed is there, once, after a start.
TEST(ReplicaMoves, APowerCutInAMoveLosesNothing) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Machine machine(seed);
    int acknowledged = 0;
    bool now = false;
    const int cut_after = 3 + static_cast<int>(seed % 17);
    machine.run_and_crash(
        [&](TestBroker& broker) -> task<void> {
          co_await create(broker, "t", 1, {{"flush.messages", "1"}});
          const std::string target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
          for (int i = 0; i < 5; ++i, ++acknowledged) EXPECT_EQ(co_await produce(broker, "t", 0, "x"), 0);
          EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
          for (int i = 0; i < cut_after; ++i, ++acknowledged) EXPECT_EQ(co_await produce(broker, "t", 0, "y"), 0);
          now = true;
          co_await runtime::sleep_ms(1'000'000);
        },
        now);
    machine.run([&](TestBroker& broker) -> task<void> {
      EXPECT_NE(find(broker, "t", 0), nullptr) << "seed " << seed;
      if (find(broker, "t", 0) == nullptr) co_return;
      EXPECT_GE(find(broker, "t", 0)->log().log_end_offset(), Offset(acknowledged)) << "seed " << seed;
      co_await wait_for_moves(broker);
      int holders = 0;
      for (const char* path : {"/a/t-0", "/b/t-0"}) holders += (co_await broker.broker().environment.files().status(path)).has_value() ? 1 : 0;
      EXPECT_EQ(holders, 1) << "seed " << seed;
      EXPECT_EQ(co_await produce(broker, "t", 0, "z"), 0);
    });
  }
}

// The power may take the end of one segment of a copy and leave the next one: going on behind that would leave a hole.
TEST(ReplicaMoves, ACopyThatAPowerCutLeftBeginsAnew) {
  constexpr int32_t records = 30;
  Machine machine;
  bool now = false;
  std::string target;
  machine.run_and_crash([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1, {{"segment.bytes", "1048576"}, {"flush.messages", "1"}});
    for (int32_t i = 0; i < records; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(100'000, 'x')), 0);
    target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
    co_await set_rate(broker, "1000000");
    EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
    co_await runtime::sleep_ms(2000);
    now = true;
    co_await runtime::sleep_ms(1'000'000);
  }, now);
  std::vector<std::string> segments;
  for (const std::string& file : machine.node.disk.files(target))
    if (file.find("-future/") != std::string::npos && file.ends_with(".log")) segments.push_back(file);
  ASSERT_GE(segments.size(), 2u);
  const auto in_first = static_cast<uint64_t>(std::stoll(segments[1].substr(segments[1].rfind('/') + 1)));
  runtime::simulated::InodePtr first;
  ASSERT_EQ(machine.node.disk.find(segments[0], first), 0);
  ASSERT_EQ(machine.node.disk.truncate(*first, first->seen.size() / in_first * 3, 0), 0);
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await set_rate(broker, "100000000");
    co_await wait_for_moves(broker);
    EXPECT_EQ(directory_of(broker, "t", 0), target);
    storage::Log& log = find(broker, "t", 0)->log();
    EXPECT_EQ(log.log_end_offset(), Offset(records));
    for (int32_t i = 0; i < records; ++i) {
      const auto read = co_await log.read(Offset(i), 1, true, storage::ReadIsolation::log_end);
      EXPECT_TRUE(read && read->first_batch_offset == Offset(i)) << "offset " << i;
    }
  });
}

}  // namespace
}  // namespace moldau::server
