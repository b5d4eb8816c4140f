// Answers to Metadata, DescribeTopicPartitions and DescribeCluster.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metadata/delta.h"
#include "metadata/describe_cluster.h"
#include "metadata/describe_topic_partitions.h"
#include "metadata/loader.h"
#include "metadata/metadata_response.h"
#include "metadata/snapshot_records.h"
#include "protocol/error_code.h"

namespace moldau::metadata {
namespace {

using protocol::ErrorCode;

Uuid id_of(int64_t number) { return {number * 7919, number + 1000}; }
const MetadataVersion& version() { return *find_metadata_version(latest_metadata_version); }

MetadataRecord broker_at(int32_t id, bool fenced, std::vector<std::string> listeners = {"PLAINTEXT", "INTERNAL"}) {
  Broker broker;
  broker.id = id;
  broker.epoch = id;
  broker.fenced = fenced;
  for (const std::string& listener : listeners)
    broker.endpoints.push_back({listener, fmt::format("{}-{}", listener, id), static_cast<uint16_t>(9000 + id), 0});
  broker.log_dirs = {id_of(-id), id_of(-id - 100)};
  return broker_record(broker, version());
}
void add_topic(MetadataRecords& records, const std::string& name, int64_t id, std::vector<Partition> partitions) {
  protocol::TopicRecord topic;
  topic.name = name;
  topic.topic_id = id_of(id);
  records.push_back({topic, 0});
  for (int32_t i = 0; Partition& one : partitions) {
    one.index = i++;
    one.leader_epoch = 7;
    if (one.directories.empty())
      for (const int32_t replica : one.replicas) one.directories.push_back(id_of(-replica));
    records.push_back(partition_record(topic.topic_id, one, version()));
  }
}
Partition led_by(int32_t leader, std::vector<int32_t> replicas, std::vector<int32_t> isr) {
  Partition partition;
  partition.leader = leader;
  partition.replicas = std::move(replicas);
  partition.isr = std::move(isr);
  return partition;
}

// Brokers 1 and 2 live, 3 is fenced, 4 lacks the clients' listener.
MetadataImagePtr cluster() {
  MetadataRecords records{broker_at(1, false), broker_at(2, false), broker_at(3, true), broker_at(4, false, {"INTERNAL"})};
  add_topic(records, "t", 1, {led_by(1, {1, 2, 3}, {1, 2}), led_by(-1, {3}, {})});
  add_topic(records, "hidden", 2, {led_by(4, {4, 1}, {4, 1})});
  add_topic(records, "__consumer_offsets", 3, {led_by(2, {2}, {2})});
  Partition failed = led_by(1, {1, 2}, {1});
  failed.directories = {id_of(-1), id_of(555)};
  add_topic(records, "failed-dir", 4, {failed});
  return image_of(records, Offset(0), LeaderEpoch(1), 0).value();
}
// A client that may do everything, as without an authorizer.
class FullAccess final : public ClientAccess {
 public:
  bool may_describe_topic(std::string_view, bool) const override { return true; }
  bool may_create_topic(std::string_view) const override { return true; }
  int32_t topic_operations(std::string_view) const override { return 3576; }
  int32_t cluster_operations() const override { return 8096; }
};
const FullAccess full_access;
ClientView view_of(int16_t api_version) {
  return {.listener = "PLAINTEXT", .cluster_id = "c", .node_id = 2, .version = api_version, .access = full_access};
}

protocol::MetadataRequest for_topics(const std::vector<std::string>& names) {
  protocol::MetadataRequest request;
  request.topics.emplace();
  for (const std::string& name : names) request.topics->push_back({{}, name, {}});
  return request;
}
int16_t code(ErrorCode error) { return static_cast<int16_t>(error); }
using Ids = std::vector<int32_t>;

TEST(Metadata, BrokersAreThoseAliveOnTheClientsListenerAndTheControllerIsOneOfThem) {
  const auto answer = answer_metadata(for_topics({}), *cluster(), view_of(9), true).response;
  ASSERT_EQ(answer.brokers.size(), 2U);
  EXPECT_EQ(answer.brokers[0].host, "PLAINTEXT-1");
  EXPECT_EQ(answer.brokers[1].port, 9002);
  EXPECT_EQ(answer.controller_id, 2) << "the one that was asked";
  EXPECT_EQ(answer.cluster_id, "c");
  ClientView elsewhere = view_of(9);
  elsewhere.node_id = 3;
  EXPECT_EQ(answer_metadata(for_topics({}), *cluster(), elsewhere, true).response.controller_id, 1);
  elsewhere.listener = "NONE";
  EXPECT_EQ(answer_metadata(for_topics({}), *cluster(), elsewhere, true).response.controller_id, -1);
}

TEST(Metadata, AllTopicsIsNullAndInVersionZeroEmpty) {
  protocol::MetadataRequest all;
  all.topics = std::nullopt;
  EXPECT_EQ(answer_metadata(all, *cluster(), view_of(1), true).response.topics.size(), 4U);
  EXPECT_EQ(answer_metadata(for_topics({}), *cluster(), view_of(0), true).response.topics.size(), 4U);
  EXPECT_EQ(answer_metadata(for_topics({}), *cluster(), view_of(1), true).response.topics.size(), 0U);
  EXPECT_TRUE(answer_metadata(all, *cluster(), view_of(1), true).to_create.empty());
}

TEST(Metadata, APartitionTellsWhoLeadsAndWhoIsAway) {
  const auto topics = answer_metadata(for_topics({"t", "failed-dir"}), *cluster(), view_of(12), true).response.topics;
  const auto& led = topics.at(0).partitions.at(0);
  EXPECT_EQ(led.error_code, 0);
  EXPECT_EQ(led.leader_id, 1);
  EXPECT_EQ(led.leader_epoch, 7);
  EXPECT_EQ(led.replica_nodes, (Ids{1, 2, 3}));
  EXPECT_EQ(led.isr_nodes, (Ids{1, 2}));
  EXPECT_EQ(led.offline_replicas, Ids{3});
  const auto& leaderless = topics.at(0).partitions.at(1);
  EXPECT_EQ(leaderless.error_code, code(ErrorCode::leader_not_available));
  EXPECT_EQ(leaderless.leader_id, -1);
  EXPECT_EQ(leaderless.leader_epoch, 7);
  EXPECT_EQ(topics.at(1).partitions.at(0).offline_replicas, Ids{2}) << "its directory is gone";
}

TEST(Metadata, OldVersionsSayItTheirWay) {
  const auto first = [](const std::string& topic, int16_t api_version) {
    return answer_metadata(for_topics({topic}), *cluster(), view_of(api_version), true).response.topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(first("t", 0).error_code, code(ErrorCode::replica_not_available));
  EXPECT_EQ(first("t", 0).replica_nodes, (Ids{1, 2}));
  EXPECT_EQ(first("t", 1).replica_nodes, (Ids{1, 2, 3}));
  EXPECT_EQ(first("hidden", 5).error_code, code(ErrorCode::leader_not_available));
  EXPECT_EQ(first("hidden", 6).error_code, code(ErrorCode::listener_not_found));
}

TEST(Metadata, WhatIsMissingIsNamedLastAndOnlyGoodNamesAreToBeCreated) {
  const auto request = for_topics({"nope", "bad name", "t", "nope", "__consumer_offsets"});
  auto answer = answer_metadata(request, *cluster(), view_of(12), true);
  const auto& topics = answer.response.topics;
  ASSERT_EQ(topics.size(), 4U);
  EXPECT_EQ(topics[0].name, "t");
  EXPECT_TRUE(topics[1].is_internal);
  EXPECT_EQ(topics[2].name, "nope");
  EXPECT_EQ(topics[2].error_code, code(ErrorCode::unknown_topic_or_partition));
  EXPECT_EQ(topics[3].error_code, code(ErrorCode::invalid_topic_exception));
  EXPECT_EQ(answer.to_create, std::vector<std::string>{"nope"});
  EXPECT_TRUE(answer_metadata(request, *cluster(), view_of(12), false).to_create.empty());
  auto unwilling = request;
  unwilling.allow_auto_topic_creation = false;
  EXPECT_TRUE(answer_metadata(unwilling, *cluster(), view_of(12), true).to_create.empty());
}

TEST(Metadata, ByIdFromVersionTwelveOn) {
  protocol::MetadataRequest request;
  request.topics.emplace();
  request.topics->push_back({id_of(1), std::nullopt, {}});
  request.topics->push_back({id_of(77), std::nullopt, {}});
  const auto topics = answer_metadata(request, *cluster(), view_of(12), true).response.topics;
  ASSERT_EQ(topics.size(), 2U);
  EXPECT_EQ(topics[0].error_code, code(ErrorCode::unknown_topic_id));
  EXPECT_EQ(topics[0].topic_id, id_of(77));
  EXPECT_EQ(topics[0].name, std::nullopt);
  EXPECT_EQ(topics[1].name, "t");
  const auto refused = answer_metadata(request, *cluster(), view_of(11), true).response.topics;
  EXPECT_EQ(refused.at(0).error_code, code(ErrorCode::invalid_request));
}

TEST(Metadata, OperationsComeOnlyWhenAskedFor) {
  auto request = for_topics({"t"});
  EXPECT_EQ(answer_metadata(request, *cluster(), view_of(8), true).response.cluster_authorized_operations, operations_not_asked);
  request.include_cluster_authorized_operations = true;
  request.include_topic_authorized_operations = true;
  const auto answer = answer_metadata(request, *cluster(), view_of(8), true).response;
  EXPECT_EQ(answer.cluster_authorized_operations, 8096);
  EXPECT_EQ(answer.topics.at(0).topic_authorized_operations, 3576);
}

TEST(DescribeTopicPartitions, PagesThroughEverythingInTheOrderOfNames) {
  protocol::DescribeTopicPartitionsRequest request;
  request.response_partition_limit = 2;
  std::vector<std::string> seen;
  for (int page = 0; page < 10; ++page) {
    const auto answer = answer_describe_topic_partitions(request, *cluster(), view_of(0), 2000);
    size_t partitions = 0;
    for (const auto& topic : answer.topics)
      for (const auto& partition : topic.partitions) {
        seen.push_back(fmt::format("{}-{}", *topic.name, partition.partition_index));
        ++partitions;
      }
    EXPECT_LE(partitions, 2U);
    if (!answer.next_cursor) break;
    request.cursor = protocol::DescribeTopicPartitionsRequest::Cursor{answer.next_cursor->topic_name,
                                                                      answer.next_cursor->partition_index, {}};
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"__consumer_offsets-0", "failed-dir-0", "hidden-0", "t-0", "t-1"}));
}

TEST(DescribeTopicPartitions, NamedTopicsMayBeMissingAndABadCursorIsRefused) {
  protocol::DescribeTopicPartitionsRequest request;
  for (const auto* name : {"t", "nope", "bad name"}) request.topics.push_back({name, {}});
  auto answer = answer_describe_topic_partitions(request, *cluster(), view_of(0), 2000);
  ASSERT_EQ(answer.topics.size(), 3U);
  EXPECT_EQ(answer.topics[0].error_code, code(ErrorCode::invalid_topic_exception));
  EXPECT_EQ(answer.topics[1].error_code, code(ErrorCode::unknown_topic_or_partition));
  EXPECT_EQ(answer.topics[2].topic_authorized_operations, 3576);
  request.cursor = protocol::DescribeTopicPartitionsRequest::Cursor{"other", 0, {}};
  answer = answer_describe_topic_partitions(request, *cluster(), view_of(0), 2000);
  EXPECT_EQ(answer.topics.at(0).error_code, code(ErrorCode::invalid_request));
  request.cursor = protocol::DescribeTopicPartitionsRequest::Cursor{"t", -1, {}};
  EXPECT_EQ(answer_describe_topic_partitions(request, *cluster(), view_of(0), 2000).topics.at(0).error_code,
            code(ErrorCode::invalid_request));
  request.cursor = protocol::DescribeTopicPartitionsRequest::Cursor{"t", 9, {}};
  EXPECT_TRUE(answer_describe_topic_partitions(request, *cluster(), view_of(0), 2000).topics.at(0).partitions.empty());
}

TEST(DescribeCluster, FencedBrokersAreListedForWhoAsks) {
  protocol::DescribeClusterRequest request;
  EXPECT_EQ(answer_describe_cluster(request, *cluster(), view_of(2), EndpointType::broker).brokers.size(), 2U);
  request.include_fenced_brokers = true;
  request.include_cluster_authorized_operations = true;
  const auto answer = answer_describe_cluster(request, *cluster(), view_of(2), EndpointType::broker);
  ASSERT_EQ(answer.brokers.size(), 3U);
  EXPECT_TRUE(answer.brokers[2].is_fenced);
  EXPECT_EQ(answer.cluster_authorized_operations, 8096);
}

TEST(DescribeCluster, AControllersEndpointIsElsewhere) {
  protocol::DescribeClusterRequest request;
  request.endpoint_type = 2;
  EXPECT_EQ(answer_describe_cluster(request, *cluster(), view_of(1), EndpointType::broker).error_code, code(ErrorCode::mismatched_endpoint_type));
  EXPECT_EQ(answer_describe_cluster(request, *cluster(), view_of(0), EndpointType::broker).error_code, code(ErrorCode::invalid_request));
  request.endpoint_type = 9;
  EXPECT_EQ(answer_describe_cluster(request, *cluster(), view_of(1), EndpointType::broker).error_code, code(ErrorCode::unsupported_endpoint_type));
}

}  // namespace
}  // namespace moldau::metadata
