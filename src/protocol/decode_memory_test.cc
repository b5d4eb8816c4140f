// What decoding costs in memory, by counting every allocation of this thread.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "protocol/messages/metadata_request.h"
#include "protocol/messages/produce_request.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace {

thread_local size_t allocated_bytes = 0;

}  // namespace

void* operator new(size_t size) {
  allocated_bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace moldau::protocol {
namespace {

template <class Message>
size_t decode_cost_bytes(ByteView encoded, int16_t version, bool is_whole) {
  const size_t before = allocated_bytes;
  Reader reader(encoded);
  const auto decoded = decode<Message>(reader, version);
  EXPECT_EQ(decoded.has_value(), is_whole);
  return allocated_bytes - before;
}

TEST(DecodeMemory, AProduceOfOneMegabyteTakesLessThanFourKibibytes) {
  const Bytes records(100'000, std::byte{1});
  ProduceRequest request;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "a-topic-with-a-name-that-does-not-fit-into-the-string-itself";
  for (int i = 0; i < 10; ++i) topic.partition_data.push_back({.index = i, .records = Records(records)});
  const Bytes encoded = encode_to_bytes(request, 9);
  ASSERT_GT(encoded.size(), 1'000'000U);
  EXPECT_LT(decode_cost_bytes<ProduceRequest>(encoded, 9, true), 4096U);
}

TEST(DecodeMemory, APromisedCountTakesNoMemoryBeforeItsElementsCome) {
  // 900,000 topics are promised and there is room for them, but the first one is null already.
  Bytes encoded(1'000'000);
  store_be<int32_t>(encoded.data(), 450'000);
  store_be<int16_t>(encoded.data() + 4, -1);
  EXPECT_LT(decode_cost_bytes<MetadataRequest>(encoded, 1, false), 64U * 1024);
}

TEST(DecodeMemory, CountingTheSizeOfAMessageTakesNone) {
  const Bytes records(100'000, std::byte{1});
  ProduceRequest request;
  request.topic_data.emplace_back().partition_data.push_back({.index = 0, .records = Records(records)});
  const size_t before = allocated_bytes;
  EXPECT_GT(encoded_size(request, 9), 100'000U);
  EXPECT_EQ(allocated_bytes, before);
}

}  // namespace
}  // namespace moldau::protocol
