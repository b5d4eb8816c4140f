#include "cli/units.h"

#include <gtest/gtest.h>

#include "cli/table.h"

namespace moldau::cli {
namespace {

TEST(Units, DurationsAreReadAsPeopleWriteThem) {
  EXPECT_EQ(parse_duration_ms("1500"), 1500);
  EXPECT_EQ(parse_duration_ms("250ms"), 250);
  EXPECT_EQ(parse_duration_ms("90s"), 90'000);
  EXPECT_EQ(parse_duration_ms("1.5s"), 1500);
  EXPECT_EQ(parse_duration_ms("1h30m"), 5'400'000);
  EXPECT_EQ(parse_duration_ms("2d"), 172'800'000);
  EXPECT_EQ(parse_duration_ms("PT1H30M"), 5'400'000);
  EXPECT_EQ(parse_duration_ms("P1DT0.5S"), 86'400'500);
  EXPECT_EQ(parse_duration_ms("-5m"), -300'000);
  for (const char* wrong :
       {"", "-", "s", "5x", "1h30", "P", "PT", "P1M", "99999999999999999999", "9999999999999999d", "1.s"})
    EXPECT_FALSE(parse_duration_ms(wrong)) << wrong;
}

TEST(Units, InstantsAreReadWithAndWithoutZone) {
  EXPECT_EQ(parse_instant_ms("1970-01-02"), 86'400'000);
  EXPECT_EQ(parse_instant_ms("2025-06-15T15:06:40Z"), 1'750'000'000'000);
  EXPECT_EQ(parse_instant_ms("2025-06-15 15:06:40.25"), 1'750'000'000'250);
  EXPECT_EQ(parse_instant_ms("2025-06-15T17:06:40+02:00"), 1'750'000'000'000);
  EXPECT_EQ(parse_instant_ms("2025-06-15T10:06-0500"), 1'749'999'960'000);
  EXPECT_EQ(parse_instant_ms("1750000000000"), 1'750'000'000'000);
  EXPECT_EQ(parse_instant_ms("@5"), 5);
  for (const char* wrong : {"", "2025", "2025-02-30", "2025-06-15T25:00", "2025-06-15X",
                            "2025-06-15T10:00:00Q", "yesterday", "@x"})
    EXPECT_FALSE(parse_instant_ms(wrong)) << wrong;
}

TEST(Units, WhatIsPrintedIsReadAgain) {
  for (int64_t ms : {0LL, 1LL, 1'750'000'000'123LL, 4'102'444'799'999LL})
    EXPECT_EQ(parse_instant_ms(instant_text(ms)), ms);
  EXPECT_EQ(instant_text(-1), "-");
}

TEST(Units, DurationsSizesAndCountsFitTheirReader) {
  EXPECT_EQ(duration_text(850), "850 ms");
  EXPECT_EQ(duration_text(12'560), "12.5 s");
  EXPECT_EQ(duration_text(200'000), "3m 20s");
  EXPECT_EQ(duration_text(90'000'000), "1d 1h");
  EXPECT_EQ(size_text(512), "512 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(1024ULL * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(-1'234'567), "-1,234,567");
  EXPECT_EQ(count_text(-123), "-123");
}

TEST(Units, HostAndPort) {
  EXPECT_EQ(parse_host_port("broker")->port, 9092);
  EXPECT_EQ(parse_host_port("broker:1")->port, 1);
  EXPECT_EQ(parse_host_port("[::1]:9093")->host, "::1");
  for (const char* wrong : {"", ":9092", "a:", "a:0", "a:65536", "a:9x", "[::1", "[::1]9092", "::1:9092"})
    EXPECT_FALSE(parse_host_port(wrong)) << wrong;
}

TEST(Table, ColumnsLineUpAndNumbersStandRight) {
  Table table({{"NAME"}, {"COUNT", Table::Align::right}});
  table.add({"a", "5"});
  table.add({"größer", "1,000"});
  EXPECT_EQ(table.to_string(), "NAME    COUNT\na           5\ngrößer  1,000\n");
}

TEST(Table, ACellCannotSteerTheTerminal) {
  Table table({{"NAME"}});
  table.add({"a\x1b[2Jb\n"});
  EXPECT_EQ(table.to_string(), "NAME\na\\x1b[2Jb\\n\n");
}

}  // namespace
}  // namespace moldau::cli
