// A log directory behind a power cut: what its start has promised to everything that follows.
#include <gtest/gtest.h>

#include <cerrno>

#include "base/sanitizer.h"
#include "runtime/simulated/world.h"
#include "storage/log_directory.h"

namespace moldau::storage::test {
namespace {

using runtime::Environment;
using runtime::task;
using runtime::simulated::Node;
using runtime::simulated::World;

constexpr int64_t minute_us = 60'000'000;
const std::string copied = "/data/t-0.0123456789abcdef0123456789abcdef-future";
const std::string moved = "/data/t-0";

task<void> rename_copy(Environment& environment, bool& is_done) {
  runtime::FileSystem& files = environment.files();
  EXPECT_TRUE(co_await runtime::make_directories(files, copied));
  EXPECT_TRUE(co_await files.rename(copied, moved));
  is_done = true;
  co_await runtime::sleep_ms(1'000'000);
}

task<void> begin_next_run(Environment& environment, bool& is_done) {
  auto directory = std::move(*co_await LogDirectory::open(environment, "/data"));
  EXPECT_FALSE(directory->had_clean_shutdown());
  EXPECT_EQ(directory->found().size(), 1U);
  EXPECT_TRUE(co_await directory->begin_run(1, 2));
  is_done = true;
  co_await runtime::sleep_ms(1'000'000);
}

// Whatever the start goes by (a log has its name, so the one that it replaces may go) is to hold behind a power cut as well.
TEST(LogDirectoryCrash, ANameThatAKilledProcessGaveOutlastsAPowerCutOnceTheNextRunHasBegun) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    bool is_done = false;
    world.boot(node, [&](Environment& environment) { return rename_copy(environment, is_done); });
    ASSERT_TRUE(world.run_until([&] { return is_done; }, minute_us));
    world.kill(node);
    is_done = false;
    world.boot(node, [&](Environment& environment) { return begin_next_run(environment, is_done); });
    ASSERT_TRUE(world.run_until([&] { return is_done; }, minute_us));
    world.crash(node);
    runtime::FileStatus status;
    EXPECT_EQ(node.disk.status(moved, status), 0) << "seed " << seed;
    EXPECT_EQ(node.disk.status(copied, status), ENOENT) << "seed " << seed;
  }
}

}  // namespace
}  // namespace moldau::storage::test
