#include "cli/record_format.h"

#include <gtest/gtest.h>

namespace moldau::cli {
namespace {

const client::TopicPartition partition{"orders", 2};

client::FetchedRecord record() {
  return {.offset = 7,
          .timestamp_ms = 1'750'000'000'000,
          .key = to_bytes("k"),
          .value = to_bytes("v1"),
          .headers = {{"h", to_bytes("x")}, {"n", std::nullopt}}};
}

TEST(RecordFormat, NamedFormatsEndInALine) {
  EXPECT_EQ((*RecordFormat::parse("value"))(partition, record()), "v1\n");
  EXPECT_EQ((*RecordFormat::parse("key-value"))(partition, record()), "k\tv1\n");
  EXPECT_EQ((*RecordFormat::parse("full"))(partition, record()),
            "2025-06-15T15:06:40.000Z  orders-2@7  k  v1  h=x,n=null\n");
}

TEST(RecordFormat, ATemplateNamesWhatItShows) {
  EXPECT_EQ((*RecordFormat::parse("%t/%p/%o %T %K:%V 100%%"))(partition, record()),
            "orders/2/7 1750000000000 1:2 100%\n");
  EXPECT_EQ((*RecordFormat::parse("%v\\0"))(partition, record()), std::string("v1\0", 3));
  client::FetchedRecord tombstone = record();
  tombstone.value.reset();
  EXPECT_EQ((*RecordFormat::parse("%k=%v (%V)"))(partition, tombstone), "k= (-1)\n");
  for (const char* wrong : {"", "values", "%", "%x", "%v\\x"})
    EXPECT_FALSE(RecordFormat::parse(wrong)) << wrong;
}

TEST(RecordFormat, JsonKeepsNullAndBytesApartFromText) {
  client::FetchedRecord binary = record();
  binary.key.reset();
  binary.value = from_hex("ff00");
  binary.headers.resize(1);
  EXPECT_EQ(
      (*RecordFormat::parse("json"))(partition, binary),
      R"({"topic":"orders","partition":2,"offset":7,"timestamp":1750000000000,"key":null,"value_base64":"/wA=",)"
      R"("headers":[{"name":"h","value":"x"}]})"
      "\n");
}

TEST(RecordFormat, KnowsUtf8) {
  for (const char* text : {"", "a", "größer", "€", "\U0001F600"}) EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text :
       {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "a\x80"})
    EXPECT_FALSE(is_utf8(text));
}

}  // namespace
}  // namespace moldau::cli
