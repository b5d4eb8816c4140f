#include "storage/run_file.h"

#include <gtest/gtest.h>

#include "storage/log_directory.h"
#include "storage/memory_world_for_test.h"

namespace moldau::storage::test {
namespace {

constexpr const char* run_file_path = "/data/.moldau_run";

// A node that opens its directory, leads the metadata log in the next epoch, and opens its logs.
struct Runs {
  MemoryEnvironment environment;
  int32_t epoch = 0;  // as the metadata log holds it
  std::unique_ptr<LogDirectory> directory;

  Runs() { environment.disk.clock_ms = environment.clock_ms; }

  // What the directory says of its logs.
  LogOptions start() {
    directory.reset();  // as a kill does
    auto opened = now(LogDirectory::open(environment, "/data"));
    MOLDAU_ASSERT(opened.has_value());
    directory = std::move(*opened);
    MOLDAU_ASSERT(now(directory->forget_older_boot()).has_value());
    const int32_t found = epoch++;
    MOLDAU_ASSERT(now(directory->begin_run(found, epoch)).has_value());
    LogOptions options;
    options.topic = "t";
    directory->fill(options);
    return options;
  }
  void finish_loading() { MOLDAU_ASSERT(now(directory->note_running()).has_value()); }
  void run() {
    start();
    finish_loading();
  }
};

TEST(RunFile, AKillInTheSameStartOfTheMachineIsKnown) {
  Runs runs;
  EXPECT_FALSE(runs.start().was_only_killed);
  runs.finish_loading();
  EXPECT_TRUE(runs.start().was_only_killed);
  EXPECT_TRUE(runs.start().was_only_killed) << "killed while it opened its logs";
  runs.finish_loading();
  EXPECT_TRUE(runs.start().was_only_killed);
}

TEST(RunFile, APowerCutIsNoKill) {
  Runs runs;
  runs.run();
  runs.environment.boot = "boot-2";
  EXPECT_FALSE(runs.start().was_only_killed);
  EXPECT_FALSE(runs.start().was_only_killed) << "killed before everything was read";
  runs.finish_loading();
  EXPECT_TRUE(runs.start().was_only_killed);
}

TEST(RunFile, WithoutANameOfTheMachinesStartNothingIsTakenOnTrust) {
  Runs runs;
  runs.environment.boot.clear();
  runs.run();
  EXPECT_FALSE(runs.start().was_only_killed);
}

TEST(RunFile, AnEpochOfSomebodyElseBetweenIsNoKill) {
  Runs runs;
  runs.run();
  ++runs.epoch;  // Apache Kafka has led the metadata log, and may have been killed as well
  EXPECT_FALSE(runs.start().was_only_killed);
}

TEST(RunFile, ACopyIsNoKill) {
  Runs runs;
  runs.run();
  runs.environment.advance_ms(60'000);
  runs.environment.disk.files[run_file_path]->modified_ms = runs.environment.clock_ms;  // restored from a copy
  EXPECT_FALSE(runs.start().was_only_killed);
}

TEST(RunFile, ALogThatCouldNotBeOpenedIsReadNextTime) {
  Runs runs;
  runs.start();
  runs.directory->health()->need_recovery();
  runs.finish_loading();
  EXPECT_FALSE(runs.start().was_only_killed);
}

TEST(RunFile, ACleanStopTakesItAway) {
  Runs runs;
  runs.run();
  ASSERT_TRUE(runs.environment.disk.files.contains(run_file_path));
  ASSERT_TRUE(now(runs.directory->mark_clean_shutdown(1)));
  EXPECT_FALSE(runs.environment.disk.files.contains(run_file_path));
  const LogOptions options = runs.start();
  EXPECT_TRUE(options.had_clean_shutdown);
  EXPECT_FALSE(options.was_only_killed);
  EXPECT_FALSE(runs.start().was_only_killed) << "killed before it could say anything";
}

TEST(RunFile, AFailedFlushIsKnownUntilWhatItHidWasWrittenAgain) {
  Runs runs;
  runs.run();
  now(record_failed_flush(runs.environment.disk, runs.directory->health(), "fsync: Input/output error"));
  EXPECT_TRUE(runs.directory->is_offline());
  for (int start = 0; start < 2; ++start) {
    const LogOptions options = runs.start();
    EXPECT_TRUE(options.had_failed_flush);
    EXPECT_FALSE(options.was_only_killed);
  }
  runs.finish_loading();
  EXPECT_FALSE(runs.start().had_failed_flush);
  // A power cut takes the page cache away and with it what it hid.
  now(record_failed_flush(runs.environment.disk, runs.directory->health(), "fsync: Input/output error"));
  runs.environment.boot = "boot-2";
  EXPECT_FALSE(runs.start().had_failed_flush);
}

TEST(RunFile, AFailedFlushIsKnownThoughTheDiskRefusesTheNote) {
  Runs runs;
  runs.run();
  runs.environment.disk.fail_syncs_with = EIO;
  now(record_failed_flush(runs.environment.disk, runs.directory->health(), "fsync: Input/output error"));
  runs.environment.disk.fail_syncs_with = 0;
  EXPECT_TRUE(runs.start().had_failed_flush);
}

TEST(RunFile, AFlushThatFailsWhileLogsAreOpenedIsNotForgotten) {
  Runs runs;
  runs.start();
  now(record_failed_flush(runs.environment.disk, runs.directory->health(), "fsync: Input/output error"));
  runs.finish_loading();
  EXPECT_TRUE(runs.start().had_failed_flush);
}

// Nor where the machine went down before, so that the file is still that of another boot.
TEST(RunFile, AFlushThatFailsInTheFirstStartAfterAPowerCutIsNotForgotten) {
  Runs runs;
  runs.run();
  runs.environment.boot = "boot-2";
  runs.start();
  now(record_failed_flush(runs.environment.disk, runs.directory->health(), "fsync: Input/output error"));
  EXPECT_TRUE(runs.start().had_failed_flush);
  runs.environment.boot = "boot-3";
  runs.start();
  runs.finish_loading();
  EXPECT_FALSE(runs.start().had_failed_flush);
}

}  // namespace
}  // namespace moldau::storage::test
