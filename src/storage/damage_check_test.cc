#include "storage/damage_check.h"

#include <gtest/gtest.h>

#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

// Three segments of two batches each.
struct DamagedWorld : LogWorld {
  DamagedWorld() {
    open();
    for (int i = 0; i < 6; ++i) {
      if (i == 2 || i == 4) (void)now(log->roll());
      EXPECT_TRUE(append(*this, batch_of(3)));
    }
    crash();
  }
  Bytes& segment(int base) { return environment.disk.files[file_path("/data/t-0", Offset(base), FileKind::log)]->bytes; }
  [[nodiscard]] std::string check() {
    const auto before = environment.disk.files.size();
    const auto checked = now(check_for_damage(environment.disk, "/data/t-0"));
    EXPECT_EQ(environment.disk.files.size(), before);
    return checked ? std::string() : checked.error().message;
  }
};

TEST(DamageCheck, AWholeLogAndNoLogAreNotDamaged) {
  DamagedWorld world;
  EXPECT_EQ(world.check(), "");
  EXPECT_TRUE(now(check_for_damage(world.environment.disk, "/data/none-0")));
}

TEST(DamageCheck, EveryTornEndIsATornEnd) {
  DamagedWorld world;
  const Bytes whole = world.segment(12);
  for (size_t size = 0; size < whole.size(); ++size) {
    world.segment(12) = Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(world.check(), "") << size;
  }
  // Of the last batch any sectors may be missing.
  for (size_t at = whole.size() / 2; at < whole.size(); ++at) {
    world.segment(12) = whole;
    world.segment(12)[at] = std::byte{0};
    EXPECT_EQ(world.check(), "") << at;
  }
}

TEST(DamageCheck, EveryTurnedBitBeforeTheLastBatchIsDamage) {
  for (const int base : {0, 6, 12}) {
    DamagedWorld world;
    const Bytes whole = world.segment(base);
    // The leader epoch is not under the checksum.
    for (size_t at = 0; at < (base == 12 ? whole.size() / 2 : whole.size()); ++at) {
      if (const size_t of_batch = at % (whole.size() / 2); of_batch >= 8 && of_batch < 16) continue;
      world.segment(base) = whole;
      world.segment(base)[at] ^= std::byte{0x10};
      const std::string message = world.check();
      EXPECT_NE(message.find(file_path("/data/t-0", Offset(base), FileKind::log)), std::string::npos) << "byte " << at;
      EXPECT_NE(message.find(at < whole.size() / 2 ? "truncate -s 0 " : "truncate -s "), std::string::npos) << message;
    }
  }
}

// No checksum covers the offset of a batch: one that is too high was taken for a log with a gap.
TEST(DamageCheck, AnOffsetThatIsTooHighIsDamageWhereverItStands) {
  for (const int base : {0, 6, 12})
    for (const bool is_second : {false, true})
      for (size_t at = 0; at < 8; ++at) {
        DamagedWorld world;
        Bytes& segment = world.segment(base);
        segment[(is_second ? segment.size() / 2 : 0) + at] |= std::byte{0x40};
        EXPECT_NE(world.check().find("is next"), std::string::npos) << base << " " << is_second << " byte " << at;
      }
}

// Two batches that went to the disk together: the power took a sector of the first, and none of the second.
TEST(DamageCheck, ASectorThatWasNeverWrittenIsATornEnd) {
  LogWorld world;
  world.open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append(world, batch_of(60)));
  world.crash();
  Bytes& file = world.environment.disk.files[file_path("/data/t-0", Offset(0), FileKind::log)]->bytes;
  const Bytes whole = file;
  const size_t second = whole.size() / 3;
  const auto is_refused = [&] { return !now(check_for_damage(world.environment.disk, "/data/t-0")).has_value(); };
  const auto zeros = [&](size_t from, size_t to) { std::fill(file.begin() + static_cast<ptrdiff_t>(from), file.begin() + static_cast<ptrdiff_t>(to), std::byte{0}); };
  for (size_t sector = second / 512; (sector + 1) * 512 <= 2 * second; ++sector) {
    file = whole;
    zeros(std::max(sector * 512, second), (sector + 1) * 512);
    EXPECT_FALSE(is_refused()) << "sector " << sector;
    // With a bit of it turned it was written.
    file[(sector + 1) * 512 - 1] = std::byte{1};
    EXPECT_TRUE(is_refused()) << "sector " << sector;
  }
}

TEST(DamageCheck, ALengthThatIsWrongHidesNothing) {
  DamagedWorld world;
  const size_t half = world.segment(12).size() / 2;
  for (const int byte : {0, 1, 2, 3}) {
    DamagedWorld damaged;
    damaged.segment(12)[8U + static_cast<size_t>(byte)] ^= std::byte{0x7F};
    EXPECT_NE(damaged.check().find(fmt::format("whole records follow at position {}", half)), std::string::npos) << byte;
  }
}

}  // namespace
}  // namespace moldau::storage::test
