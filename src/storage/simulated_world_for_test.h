// For tests: a machine with a simulated disk, and the processes that run on it one after the other. Most of them have the log
// /data/t-0 open, for as long as a story takes; then they end in order, or wait to be killed or for the power to go.
#pragma once

#include <gtest/gtest.h>

#include "runtime/simulated/world.h"
#include "storage/log.h"
#include "storage/open_files.h"

namespace moldau::storage::test {

// What only a process knows (environment, files, health) is still missing.
inline LogOptions simulated_log_options() {
  LogOptions options;
  options.directory = "/data/t-0";
  options.topic = "t";
  options.topic_id = Uuid{1, 2};
  options.config.segment_index_bytes = 4096;  // small files, for speed
  return options;
}

struct SimulatedLogWorld {
  using Process = std::function<runtime::task<void>(runtime::Environment&)>;
  using Story = std::function<runtime::task<void>(Log&)>;
  static constexpr int64_t limit_us = 600'000'000;

  runtime::simulated::World world;
  runtime::simulated::Node& node;
  LogOptions options = simulated_log_options();  // of the log in processes to come
  size_t open_files_max = 16;
  LoadReport report;     // of the last one that was opened
  bool is_told = false;  // the last process is at the end of its story

  explicit SimulatedLogWorld(uint64_t seed) : world(seed), node(world.add_node("node")) {}

  // A process that ends by itself; its log is abandoned, the files are as they are.
  void run(Process process) {
    world.boot(node, std::move(process));
    EXPECT_TRUE(world.run_until([this] { return !node.is_running(); }, limit_us)) << "the story does not end";
  }
  void run(Story story) {
    run([this, told = std::move(story)](runtime::Environment& environment) { return with_log(environment, told, false); });
  }

  // One that waits at the end of its story; `start` does not wait for it to get there.
  void start(Process process) {
    is_told = false;
    world.boot(node, [this, told = std::move(process)](runtime::Environment& environment) { return wait_behind(environment, told); });
  }
  void start(Story story) {
    is_told = false;
    world.boot(node, [this, told = std::move(story)](runtime::Environment& environment) { return with_log(environment, told, true); });
  }
  template <class Told>
  void tell(Told told) {
    start(std::move(told));
    EXPECT_TRUE(world.run_until([this] { return is_told; }, limit_us)) << "the story does not end";
  }

  void kill() { world.kill(node); }
  void cut_power() { world.crash(node); }

 private:
  runtime::task<void> wait_behind(runtime::Environment& environment, Process process) {
    co_await process(environment);
    is_told = true;
    co_await runtime::sleep_ms(limit_us);
  }

  runtime::task<void> with_log(runtime::Environment& environment, Story story, bool waits) {
    EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
    EXPECT_TRUE(co_await environment.files().sync_directory("/data"));  // as LogDirectory::begin_run
    OpenFiles open_files(environment.files(), open_files_max);
    LogOptions wanted = options;
    wanted.environment = &environment;
    wanted.open_files = &open_files;
    wanted.health = std::make_shared<DirectoryHealth>("/data");
    report = {};
    auto opened = co_await Log::open(std::move(wanted), &report);
    EXPECT_TRUE(opened) << opened.error().message;
    if (!opened) co_return;
    const std::unique_ptr<Log> log = std::move(*opened);
    co_await story(*log);
    is_told = true;
    if (waits) co_await runtime::sleep_ms(limit_us);
    co_await log->abandon();
  }
};

}  // namespace moldau::storage::test
