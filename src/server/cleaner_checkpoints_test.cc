// The checkpoints around compaction: whichever of them a power cut takes back, together they tell a cleaner no falsehood.
#include "server/log_directories_for_test.h"

namespace moldau::server {
namespace {

const std::vector<std::string> cleaning_often = {"log.dirs=/a", "metadata.log.dir=/a", "log.cleaner.backoff.ms=100"};

task<void> put(TestBroker& broker, std::string key, std::optional<std::string> value) {
  const auto bytes = value ? std::optional(as_bytes(*value)) : std::nullopt;
  EXPECT_EQ(co_await produce_batch(broker, "t", 0, batch_of_one(as_bytes(key), bytes)), 0);
}

// Two rounds, with something to clean for each: the second one may take a tombstone that the first one met.
task<void> clean_twice(TestBroker& broker) {
  for (int i = 0; i < 2; ++i) {
    co_await put(broker, "other", "value");
    EXPECT_TRUE(co_await find(broker, "t", 0)->log().roll());
    co_await runtime::sleep_ms(1000);
  }
}

// A record at 0 and its tombstone at 1, both below the log start, of which the tombstone goes with the second round: their key is
// looked for in neither. Were the log start forgotten behind the cleaner's checkpoint, the record would be there for good.
task<void> clean_above_the_log_start(TestBroker& broker, bool& is_begun) {
  co_await create(broker, "t", 1, {{"cleanup.policy", "compact,delete"}, {"retention.ms", "-1"}, {"delete.retention.ms", "0"},
                                   {"min.cleanable.dirty.ratio", "0"}, {"flush.messages", "1"}});
  co_await put(broker, "victim", "value");
  co_await put(broker, "victim", std::nullopt);
  is_begun = true;
  co_await delete_records(broker, "t", 0, 2);
  co_await clean_twice(broker);
}

task<bool> is_seen(storage::Log& log, Offset offset) {
  if (offset < log.log_start_offset()) co_return false;
  const auto read = co_await log.read(offset, 1, true, storage::ReadIsolation::log_end);
  co_return read && read->first_batch_offset == offset;
}

task<void> check_victim(TestBroker& broker) {
  storage::Log& log = find(broker, "t", 0)->log();
  const bool has_victim = co_await is_seen(log, Offset(0));
  const bool has_tombstone = co_await is_seen(log, Offset(1));
  EXPECT_TRUE(!has_victim || has_tombstone) << "the record is there and its tombstone is not, the log starts at " << log.log_start_offset().value();
}

// The power goes when so many checkpoints have been put in place since the tombstone was there. False: the story was over before.
bool crash_after(uint64_t seed, int checkpoints) {
  Machine machine(seed, 1);
  bool is_begun = false;
  bool is_over = false;
  bool is_time = false;
  int seen = 0;
  machine.world.set_trace_sink([&](const std::string& line) {
    if (is_begun && line.contains("rename") && line.contains("-checkpoint") && ++seen == checkpoints) is_time = true;
  });
  machine.run_and_crash([&](TestBroker& broker) -> task<void> {
    co_await clean_above_the_log_start(broker, is_begun);
    is_over = is_time = true;
    co_await runtime::sleep_ms(1'000'000);
  }, is_time, cleaning_often);
  machine.world.set_trace_sink(nullptr);
  machine.run([](TestBroker& broker) -> task<void> {
    co_await check_victim(broker);
    co_await clean_twice(broker);
    co_await check_victim(broker);
  }, cleaning_often);
  return !is_over;
}

TEST(CleanerCheckpoints, ARecordDoesNotOutliveItsTombstoneWhereverThePowerGoes) {
  for (uint64_t seed = 0; seed < 2 && !testing::Test::HasFailure(); ++seed) {
    int checkpoints = 1;
    for (bool goes_on = true; goes_on && !testing::Test::HasFailure(); ++checkpoints) {
      SCOPED_TRACE(fmt::format("seed {}, after {} checkpoints", seed, checkpoints));
      goes_on = crash_after(seed, checkpoints);
    }
    EXPECT_GT(checkpoints, 4);
  }
}

}  // namespace
}  // namespace moldau::server
