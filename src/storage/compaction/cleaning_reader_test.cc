// Consumers that read while a log is cleaned under them, on the simulated disk: whatever is swapped between two of their
// steps, they are given each committed value and nothing of an aborted transaction.
#include "base/log.h"
#include "base/sanitizer.h"
#include "runtime/scope.h"
#include "storage/compaction/history_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::task;

task<void> read_until(Log& log, const History& history, const bool& is_over, int& reads) {
  while (!is_over) {
    co_await history.check_readers(log);
    ++reads;
    co_await runtime::yield();
  }
}

task<void> clean_under_readers(Log& log, uint64_t seed, int& reads) {
  History history(seed);
  for (int i = 0; i < 80; ++i) co_await history.append_something(log, log.environment().wall_clock_ms());
  EXPECT_TRUE(co_await log.roll());
  bool is_over = false;
  runtime::Scope readers;
  for (int i = 0; i < 3; ++i) readers.spawn(read_until(log, history, is_over, reads));
  for (int round = 0; round < 4; ++round) {
    EXPECT_TRUE(co_await history.clean_all(log));
    (void)co_await log.remove_deleted_files(INT64_MAX);
  }
  is_over = true;
  co_await readers.join();
}

TEST(CleaningReader, IsGivenWhatWasCommittedWhateverIsSwappedMeanwhile) {
  const LogLevel level = log_level();
  set_log_level(LogLevel::off);
  int reads = 0;
  for (uint64_t seed = 1; seed <= rounds_for_test(40) && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedLogWorld world(seed);
    world.open_files_max = 8;
    world.options = compacted_log_options();
    world.options.config.delete_retention_ms = 86'400'000;  // what a reader is promised holds for so long
    world.run([&](Log& log) { return clean_under_readers(log, seed, reads); });
  }
  EXPECT_GT(reads, 100);
  set_log_level(level);
}

}  // namespace
}  // namespace moldau::storage::test
