#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/ids.h"
#include "base/uuid.h"

namespace moldau {
namespace {

TEST(Crc32c, matches_the_check_value_of_the_catalogue) { EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283U); }

TEST(Crc32c, continues_where_it_left_off) {
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), crc32c(as_bytes("123456789")));
}

TEST(Bytes, big_endian_numbers_survive_a_round_trip) {
  std::byte place[8];
  store_be<int64_t>(place, -2);
  EXPECT_EQ(to_hex(place), "fffffffffffffffe");
  EXPECT_EQ(load_be<int64_t>(place), -2);
  EXPECT_EQ(from_hex("00fF"), (Bytes{std::byte{0}, std::byte{0xff}}));
}

TEST(Uuid, text_is_base64url_without_padding) {
  const Uuid id{0x0102030405060708, 0x090a0b0c0d0e0f10};
  EXPECT_EQ(id.to_string(), "AQIDBAUGBwgJCgsMDQ4PEA");
  EXPECT_EQ(Uuid::parse("AQIDBAUGBwgJCgsMDQ4PEA"), id);
  EXPECT_EQ(Uuid::parse("AQIDBAUGBwgJCgsMDQ4PE"), std::nullopt);
  EXPECT_EQ(Uuid::parse("AQIDBAUGBwgJCgsMDQ4PE!"), std::nullopt);
  EXPECT_LT((Uuid{-1, 0}), (Uuid{0, 0})) << "Kafka compares the halves as signed numbers";
}

TEST(Ids, step_and_distance) {
  EXPECT_EQ(Offset(5) + 2, Offset(7));
  EXPECT_EQ(Offset(7) - Offset(5), 2);
}

}  // namespace
}  // namespace moldau
