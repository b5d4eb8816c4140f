#include "runtime/real/environment.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include "runtime/real/test_world.h"
#include "runtime/scope.h"

namespace moldau::runtime::real {
namespace {

TEST(RealEnvironment, runs_main_on_shard_0_and_returns_when_it_has_ended) {
  int index = -1;
  run_in_environment(1, [&](Environment&) -> task<void> {
    index = Shard::current().index();
    co_return;
  });
  EXPECT_EQ(index, 0);
  EXPECT_EQ(Shard::current_or_null(), nullptr);
}

task<std::thread::id> thread_of_shard() { co_return std::this_thread::get_id(); }

TEST(RealEnvironment, gives_every_shard_a_thread_of_its_own) {
  std::set<std::thread::id> threads;
  run_in_environment(4, [&](Environment& environment) -> task<void> {
    for (Shard* shard : environment.shards()) threads.insert(co_await call_on(*shard, thread_of_shard));
    EXPECT_EQ(&Shard::current(), environment.shards()[0]);
  });
  EXPECT_EQ(threads.size(), 4u);
}

TEST(RealEnvironment, the_quorum_has_a_thread_that_no_busy_shard_holds_up) {
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    Shard& quorum = environment.quorum_shard();
    EXPECT_EQ(quorum.index(), 1);
    EXPECT_EQ(std::ranges::count(environment.shards(), &quorum), 0);
    std::atomic<bool> ran{false};
    quorum.post([&] { ran = true; });
    // Shard 0 does not let go.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!ran && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(ran);
    const auto here = std::this_thread::get_id();
    EXPECT_NE(co_await call_on(quorum, thread_of_shard), here);
    EXPECT_EQ(&Shard::current(), environment.shards()[0]);
  });
}

task<void> meet(Environment& environment, std::atomic<int>& arrived, int all) {
  co_await environment.run_off_shard([&] {
    ++arrived;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (arrived < all && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(arrived, all);
  });
}

// Also when one thread waits for work: it can take no more than one of them.
TEST(RealEnvironment, what_is_given_off_the_shard_in_one_turn_runs_at_the_same_time) {
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    co_await environment.run_off_shard([] {});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that its thread waits again
    std::atomic<int> arrived{0};
    Scope jobs;
    for (int i = 0; i < 4; ++i) jobs.spawn(meet(environment, arrived, 4));
    co_await jobs.join();
  });
}

task<void> pass_around(Environment& environment, int rounds, std::vector<int>& counts) {
  for (int i = 0; i < rounds; ++i) {
    Shard& next = *environment.shards()[static_cast<size_t>(i) % environment.shards().size()];
    co_await next.enter();
    ++counts[static_cast<size_t>(next.index())];  // only ever touched on its own shard
  }
  co_await environment.shards()[0]->enter();
}

TEST(RealEnvironment, tasks_that_hop_between_shards_share_nothing_unsynchronised) {
  std::vector<int> counts(4, 0);
  run_in_environment(4, [&](Environment& environment) -> task<void> {
    Scope scope;
    for (int i = 0; i < 50; ++i) scope.spawn(pass_around(environment, 400, counts));
    co_await scope.join();
  });
  EXPECT_EQ(counts, (std::vector<int>{5000, 5000, 5000, 5000}));
}

TEST(RealEnvironment, posts_of_one_thread_run_in_order) {
  std::vector<int> seen;
  run_in_environment(2, [&](Environment& environment) -> task<void> {
    Shard& other = *environment.shards()[1];
    for (int i = 0; i < 1000; ++i) other.post([&seen, i] { seen.push_back(i); });
    co_await other.enter();
    EXPECT_EQ(seen.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    co_await environment.shards()[0]->enter();
  });
}

TEST(RealEnvironment, a_timer_never_fires_early_and_a_cancelled_one_never) {
  run_in_environment(1, [&](Environment&) -> task<void> {
    Shard& shard = Shard::current();
    bool cancelled_fired = false;
    const TimerId timer = shard.call_at(shard.now_us() + 500, [&] { cancelled_fired = true; });
    const int64_t start_us = shard.now_us();
    shard.cancel(timer);
    co_await sleep_ms(2);
    EXPECT_GE(shard.now_us() - start_us, 2000);
    EXPECT_FALSE(cancelled_fired);
  });
}

TEST(RealEnvironment, a_signal_wait_ends_at_its_deadline_or_when_notified) {
  run_in_environment(1, [&](Environment&) -> task<void> {
    Signal signal;
    EXPECT_FALSE(co_await signal.wait_until(Shard::current().now_us() + 1000));
    Shard::current().post([&] { signal.notify_all(); });
    EXPECT_TRUE(co_await signal.wait_until(Shard::current().now_us() + 60'000'000));
  });
}

TEST(RealEnvironment, heavy_work_leaves_the_shard_and_comes_back_to_it) {
  run_in_environment(2, [&](Environment& environment) -> task<void> {
    const auto home = std::this_thread::get_id();
    std::thread::id worker;
    co_await environment.run_off_shard([&] { worker = std::this_thread::get_id(); });
    EXPECT_EQ(std::this_thread::get_id(), home);
    EXPECT_NE(worker, home);
  });
}

TEST(RealEnvironment, hands_stop_signals_to_shard_0) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  std::vector<int> came;
  Signal* arrived = nullptr;
  const auto environment = make_real_environment({.shards = 2, .on_signal = [&](int signal) {
                                                    EXPECT_EQ(Shard::current().index(), 0);
                                                    came.push_back(signal);
                                                    if (arrived != nullptr) arrived->notify_all();
                                                  }});
  environment->run([&]() -> task<void> {
    Signal signal;
    arrived = &signal;
    kill(getpid(), SIGTERM);
    while (came.empty()) co_await signal.wait();
    kill(getpid(), SIGINT);
    while (came.size() < 2) co_await signal.wait();
  });
  EXPECT_EQ(came, (std::vector<int>{SIGTERM, SIGINT}));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(RealEnvironment, uses_no_cpu_while_it_waits) {
  rusage before{};
  rusage after{};
  run_in_environment(4, [&](Environment&) -> task<void> {
    getrusage(RUSAGE_SELF, &before);
    co_await sleep_ms(100);
    getrusage(RUSAGE_SELF, &after);
  });
  EXPECT_LE(after.ru_nvcsw - before.ru_nvcsw, 20);  // a poll every few milliseconds would be hundreds
}

TEST(RealEnvironment, random_numbers_differ_between_shards_and_calls) {
  std::set<uint64_t> seen;
  run_in_environment(2, [&](Environment& environment) -> task<void> {
    for (int i = 0; i < 100; ++i) {
      co_await environment.shards()[static_cast<size_t>(i % 2)]->enter();
      seen.insert(environment.random());
    }
    co_await environment.shards()[0]->enter();
  });
  EXPECT_EQ(seen.size(), 100u);
}

}  // namespace
}  // namespace moldau::runtime::real
