// Generated messages: what the vectors cannot show, because it is about bad bytes, memory and the shape of
// the API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/api_table.h"
#include "protocol/error_code.h"
#include "protocol/messages/api_versions_response.h"
#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/fetch_response.h"
#include "protocol/messages/metadata_request.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/request_header.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace moldau::protocol {
namespace {

using Reason = DecodeError::Reason;

ProduceRequest two_partitions(ByteView records) {
  ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 30000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "orders";
  topic.partition_data.push_back({.index = 0, .records = records});
  topic.partition_data.push_back({.index = 1, .records = records});
  return request;
}

TEST(Message, ComesBackAsItWasInEveryVersionThatHoldsItsFields) {
  const Bytes records = to_bytes("not looked into");
  const ProduceRequest request = two_partitions(records);
  for (int16_t version = 3; version <= 12; ++version) {
    const Bytes encoded = encode_to_bytes(request, version);
    EXPECT_EQ(encoded.size(), encoded_size(request, version));
    const auto decoded = decode<ProduceRequest>(encoded, version);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().to_string();
    EXPECT_EQ(*decoded, request) << "version " << version;
  }
}

TEST(Message, RecordsAreViewsIntoTheFrame) {
  const Bytes records(1000, std::byte{7});
  const Bytes encoded = encode_to_bytes(two_partitions(records), 9);
  const auto decoded = decode<ProduceRequest>(encoded, 9);
  const ByteView view = decoded->topic_data[0].partition_data[1].records.bytes;
  EXPECT_GE(view.data(), encoded.data());
  EXPECT_LE(view.data() + view.size(), encoded.data() + encoded.size());
}

TEST(Message, EveryCutFailsAndSaysSo) {
  const Bytes encoded = encode_to_bytes(two_partitions(as_bytes("r")), 9);
  for (size_t length = 0; length < encoded.size(); ++length)
    EXPECT_FALSE(decode<ProduceRequest>(ByteView(encoded).first(length), 9).has_value()) << length;
}

TEST(Message, ACountIsBoundedByTheBytesThatFollow) {
  Bytes encoded = from_hex("7fffffff");
  encoded.resize(1000);
  const auto decoded = decode<MetadataRequest>(encoded, 1);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().reason, Reason::count_too_large);
  EXPECT_EQ(decoded.error().to_string(),
            "at byte 4: a count of 2147483647 is more than the remaining bytes can hold");
}

TEST(Message, NullOnlyWhereTheVersionHasNull) {
  EXPECT_EQ(decode<MetadataRequest>(from_hex("ffffffff"), 0).error().reason, Reason::null_not_allowed);
  EXPECT_FALSE(decode<MetadataRequest>(from_hex("ffffffff"), 1)->topics.has_value());
  EXPECT_FALSE(decode<MetadataRequest>(from_hex("fffffffe"), 1)->topics.has_value())
      << "Kafka takes -2 for null too";
}

TEST(Message, AVersionThatTheMessageLacksIsRefused) {
  EXPECT_EQ(decode<ProduceRequest>(Bytes(100), 2).error().reason, Reason::unsupported_version);
  EXPECT_EQ(decode<ProduceRequest>(Bytes(100), 14).error().reason, Reason::unsupported_version);
}

TEST(Message, ATaggedFieldMustBeAsLongAsItStates) {
  ApiVersionsResponse response;
  response.finalized_features_epoch = 5;
  Bytes encoded = encode_to_bytes(response, 3);
  ASSERT_EQ(to_hex(encoded),
            "00000100000000"
            "01"
            "0108"
            "0000000000000005");
  EXPECT_TRUE(decode<ApiVersionsResponse>(encoded, 3).has_value());
  encoded[9] = std::byte{9};
  encoded.push_back(std::byte{0});
  EXPECT_EQ(decode<ApiVersionsResponse>(encoded, 3).error().reason, Reason::tagged_field_size);
}

TEST(Message, UnknownTaggedFieldsAreKeptInTheirPlace) {
  RequestHeader header;
  header.unknown_tagged_fields = {{3, to_bytes("abc")}, {900, {}}};
  const Bytes encoded = encode_to_bytes(header, 2);
  EXPECT_EQ(*decode<RequestHeader>(encoded, 2), header);
}

TEST(Message, DeferredRecordsLeaveAPlaceInTheResponse) {
  FetchResponse response;
  auto& partition = response.responses.emplace_back().partitions.emplace_back();
  partition.records = Records::deferred(4096);
  Writer writer;
  encode(writer, response, 12);
  ASSERT_EQ(writer.splices().size(), 1U);
  EXPECT_EQ(writer.splices()[0].bytes, 4096U);
  EXPECT_EQ(writer.total_size(), writer.size() + 4096);
  EXPECT_EQ(writer.total_size(), encoded_size(response, 12));

  Bytes whole = to_bytes(writer.view().first(writer.splices()[0].position));
  whole.resize(whole.size() + 4096);
  const ByteView tail = writer.view().subspan(writer.splices()[0].position);
  whole.insert(whole.end(), tail.begin(), tail.end());
  EXPECT_EQ(decode<FetchResponse>(whole, 12)->responses[0].partitions[0].records.size(), 4096U);
}

TEST(Message, NullWhereTheVersionHasNoneIsWrittenEmpty) {
  MetadataRequest all_topics;
  all_topics.topics.reset();
  EXPECT_EQ(to_hex(encode_to_bytes(all_topics, 0)), "00000000");
  EXPECT_EQ(to_hex(encode_to_bytes(all_topics, 1)), "ffffffff");
}

TEST(ApiTable, AdvertisesWhatKafkaDoes) {
  const ApiInfo& produce = api_info(ApiKey::produce);
  EXPECT_EQ(produce.name, "Produce");
  EXPECT_EQ(produce.broker_versions, (VersionRange{0, 13}))
      << "from 0 for old librdkafka, although handled from 3";
  EXPECT_EQ(produce.message_versions, (VersionRange{3, 13}));
  EXPECT_TRUE(produce.controller_versions.is_empty());
  EXPECT_EQ(produce.request_header_version(8), 1);
  EXPECT_EQ(produce.request_header_version(9), 2);
  EXPECT_EQ(produce.response_header_version(9), 1);
  EXPECT_EQ(api_info(ApiKey::api_versions).response_header_version(4), 0);
  EXPECT_EQ(api_info(ApiKey::init_producer_id).broker_versions.max, 5) << "6 is unstable";
  EXPECT_EQ(find_api(4), nullptr);
  EXPECT_EQ(find_api(-1), nullptr);
}

TEST(ErrorCode, HasKafkasNamesAndTexts) {
  EXPECT_EQ(static_cast<int16_t>(ErrorCode::unknown_topic_or_partition), 3);
  EXPECT_EQ(error_name(ErrorCode::unknown_topic_or_partition), "UNKNOWN_TOPIC_OR_PARTITION");
  EXPECT_EQ(error_message(ErrorCode::unknown_topic_or_partition),
            "This server does not host this topic-partition.");
  EXPECT_TRUE(is_retriable(ErrorCode::unknown_topic_or_partition));
  EXPECT_TRUE(refreshes_metadata(ErrorCode::unknown_topic_or_partition));
  EXPECT_FALSE(is_retriable(ErrorCode::record_list_too_large));
  EXPECT_EQ(error_name(static_cast<ErrorCode>(9999)), "UNKNOWN_SERVER_ERROR");
}

}  // namespace
}  // namespace moldau::protocol
