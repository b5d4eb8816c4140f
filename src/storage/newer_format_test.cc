// A log that a newer release has written to is not opened, and not cut; what is torn or damaged is still what it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/damage_check.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* log_name = "00000000000000000000.log";

// A batch as a later form may look: where all forms have the same it says what it should.
Bytes newer_batch(Offset offset, int8_t magic = 3) {
  Bytes batch = batch_of(3);
  protocol::patch_base_offset(batch, offset);
  batch[16] = static_cast<std::byte>(magic);
  for (size_t at = 21; at < batch.size(); ++at) batch[at] ^= std::byte{0x5a};
  return batch;
}

// Eight offsets, the first four of them flushed, and then `more`.
void write(LogWorld& world, const Bytes& more) {
  world.open();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(append(world, batch_of(2)));
    if (i == 1) ASSERT_TRUE(now(world.log->flush()));
  }
  world.crash();
  add(world.environment.disk.bytes_of(world.path(log_name)), more);
}

enum class Stop : uint8_t { clean, killed, power_cut, power_cut_after_flush };

log_result<std::unique_ptr<Log>> reopen(LogWorld& world, Stop stop) {
  LogOptions options = world.options();
  options.had_clean_shutdown = stop == Stop::clean;
  options.was_only_killed = stop == Stop::killed;
  options.recovery_point = stop == Stop::power_cut_after_flush || stop == Stop::clean ? Offset(11) : Offset(4);
  world.report = {};
  return now(Log::open(std::move(options), &world.report));
}

class NewerFormat : public testing::TestWithParam<Stop> {};
INSTANTIATE_TEST_SUITE_P(AfterAnyStop, NewerFormat,
                         testing::Values(Stop::clean, Stop::killed, Stop::power_cut, Stop::power_cut_after_flush));

TEST_P(NewerFormat, IsNamedAndTheLogIsNotOpenedAndNotCut) {
  LogWorld world;
  write(world, newer_batch(Offset(8)));
  const Bytes whole = world.environment.disk.bytes_of(world.path(log_name));
  const size_t position = whole.size() - newer_batch(Offset(8)).size();
  for (int i = 0; i < 2; ++i) {
    const auto opened = reopen(world, GetParam());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, protocol::ErrorCode::kafka_storage_error);
    EXPECT_EQ(opened.error().io_error_number, 0) << "no disk is to blame";
    EXPECT_THAT(opened.error().message, AllOf(HasSubstr(world.path(log_name)), HasSubstr(fmt::format("position {}", position)),
                                              HasSubstr("magic 3"), HasSubstr("Start the release that wrote it")));
    EXPECT_EQ(world.environment.disk.bytes_of(world.path(log_name)), whole);
    EXPECT_FALSE(world.health->is_offline());
  }
  // Without it everything is there.
  world.environment.disk.bytes_of(world.path(log_name)).resize(position);
  auto opened = reopen(world, GetParam());
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->log_end_offset(), Offset(8));
  world.log = std::move(*opened);
}

TEST_P(NewerFormat, WithSomethingKnownBehindItIsNamedAsWell) {
  LogWorld world;
  Bytes more = newer_batch(Offset(8), 7);
  Bytes known = batch_of(1);
  protocol::patch_base_offset(known, Offset(11));
  add(more, known);
  write(world, more);
  const Bytes whole = world.environment.disk.bytes_of(world.path(log_name));
  const auto opened = reopen(world, GetParam());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("magic 7"));
  EXPECT_EQ(world.environment.disk.bytes_of(world.path(log_name)), whole);
}

// What a power cut leaves may look like anything, but it is not whole or does not fit.
TEST_P(NewerFormat, IsNoExcuseForATornEnd) {
  const Bytes newer = newer_batch(Offset(8));
  Bytes torn(newer.begin(), newer.end() - 4);
  for (const Bytes& end : {torn, newer_batch(Offset(5)), newer_batch(Offset(int64_t{1} << 40)), newer_batch(Offset(8), -1), newer_batch(Offset(8), 90)}) {
    LogWorld world;
    write(world, end);
    auto opened = reopen(world, GetParam());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ((*opened)->log_end_offset(), Offset(8));
    world.log = std::move(*opened);
  }
}

TEST(NewerFormatOfTheMetadata, StopsTheStartByNameAndGivesNoAdviceToCut) {
  LogWorld world;
  write(world, newer_batch(Offset(8)));
  const auto checked = now(check_for_damage(world.environment.disk, "/data/t-0"));
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, AllOf(HasSubstr(world.path(log_name)), HasSubstr("magic 3"), Not(HasSubstr("truncate"))));
}

}  // namespace
}  // namespace moldau::storage::test
