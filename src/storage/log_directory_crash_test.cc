// A log directory behind a power cut: what its start has promised to everything that follows.
#include <cerrno>

#include "base/sanitizer.h"
#include "storage/log_directory.h"
#include "storage/simulated_world_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::Environment;
using runtime::task;

// Whatever the start goes by (a log has its name, so the one that it replaces may go) is to hold behind a power cut as well.
TEST(LogDirectoryCrash, ANameThatAKilledProcessGaveOutlastsAPowerCutOnceTheNextRunHasBegun) {
  const std::string copied = "/data/t-0.0123456789abcdef0123456789abcdef-future";
  const std::string moved = "/data/t-0";
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SimulatedLogWorld world(seed);
    world.tell([&](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), copied));
      EXPECT_TRUE(co_await environment.files().rename(copied, moved));
    });
    world.kill();
    world.tell([](Environment& environment) -> task<void> {
      auto directory = std::move(*co_await LogDirectory::open(environment, "/data"));
      EXPECT_FALSE(directory->had_clean_shutdown());
      EXPECT_EQ(directory->found().size(), 1U);
      EXPECT_TRUE(co_await directory->begin_run(1, 2));
    });
    world.cut_power();
    runtime::FileStatus status;
    EXPECT_EQ(world.node.disk.status(moved, status), 0) << "seed " << seed;
    EXPECT_EQ(world.node.disk.status(copied, status), ENOENT) << "seed " << seed;
  }
}

TEST(LogDirectoryCrash, ItAndItsCheckpointsOutlastAPowerCutRightAfterTheyWereMade) {
  for (uint64_t seed = 0; seed < rounds_for_test(60); ++seed) {
    SimulatedLogWorld world(seed);
    world.tell([](Environment& environment) -> task<void> {
      auto directory = std::move(*co_await LogDirectory::open(environment, "/srv/moldau/data"));
      EXPECT_TRUE(co_await directory->write_recovery_points({{"t", 0, Offset(7)}}));
    });
    world.cut_power();
    runtime::FileStatus status;
    EXPECT_EQ(world.node.disk.status("/srv/moldau/data/recovery-point-offset-checkpoint", status), 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace moldau::storage::test
