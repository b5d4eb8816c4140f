// Callers who may do some things: what they see, and what stays hidden.
#include <gmock/gmock.h>

#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/delete_topics_response.h"
#include "protocol/messages/describe_cluster_request.h"
#include "protocol/messages/describe_cluster_response.h"
#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "protocol/messages/describe_topic_partitions_request.h"
#include "protocol/messages/describe_topic_partitions_response.h"
#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "protocol/messages/find_coordinator_request.h"
#include "protocol/messages/find_coordinator_response.h"
#include "protocol/messages/init_producer_id_request.h"
#include "protocol/messages/init_producer_id_response.h"
#include "protocol/messages/list_groups_request.h"
#include "protocol/messages/list_groups_response.h"
#include "protocol/messages/metadata_request.h"
#include "protocol/messages/metadata_response.h"
#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "security/rule_authorizer.h"
#include "server/test_broker.h"

namespace moldau::server {
namespace {

using namespace protocol;
using enum security::Operation;
using runtime::task;
using security::ResourceType;
using security::RuleAuthorizer;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr auto topic = ResourceType::topic;
constexpr auto group = ResourceType::group;

int16_t code(ErrorCode error) { return static_cast<int16_t>(error); }
constexpr ErrorCode denied_topic = ErrorCode::topic_authorization_failed;

void allow_only(TestBroker& broker, const std::function<void(RuleAuthorizer&)>& rules) {
  for (auto& shard : broker.broker().shards) {
    auto authorizer = std::make_unique<RuleAuthorizer>();
    rules(*authorizer);
    shard->authorizer = std::move(authorizer);
  }
}
void allow_all(TestBroker& broker) {
  for (auto& shard : broker.broker().shards) shard->authorizer = security::allow_all();
}

CreateTopicsRequest creating(const std::vector<std::string>& names) {
  CreateTopicsRequest request;
  for (const std::string& name : names) {
    auto& one = request.topics.emplace_back();
    one.name = name;
    one.num_partitions = one.replication_factor = 1;
  }
  return request;
}
task<void> make_topics(TestBroker& broker, std::vector<std::string> names) {
  allow_all(broker);
  co_await broker.ask<CreateTopicsResponse>(creating(names));
}

task<void> metadata_story(TestBroker& broker) {
  co_await make_topics(broker, {"open", "secret"});
  allow_only(broker, [](RuleAuthorizer& rules) {
    rules.allow(describe, topic, "open").allow(describe, topic, "missing").allow(read, topic, "open").allow(describe, topic, "creatable");
    rules.allow(create, topic, "creatable");
  });
  MetadataRequest all;
  all.topics.reset();
  all.include_topic_authorized_operations = true;
  auto answer = co_await broker.ask<MetadataResponse>(all);
  EXPECT_EQ(answer.topics.size(), 1U);
  EXPECT_EQ(answer.topics.at(0).name, "open");
  EXPECT_EQ(answer.topics.at(0).topic_authorized_operations, 1 << 3 | 1 << 8);

  const Uuid secret_id = broker.broker().first_shard().image->find_topic("secret")->id;
  MetadataRequest by_id;
  by_id.topics.emplace();
  by_id.topics->emplace_back().topic_id = secret_id;
  answer = co_await broker.ask<MetadataResponse>(by_id);
  EXPECT_EQ(answer.topics.at(0).error_code, code(denied_topic));
  EXPECT_EQ(answer.topics.at(0).name, std::nullopt);

  MetadataRequest named;
  named.topics.emplace();
  for (const auto* name : {"secret", "missing", "creatable", "open"}) named.topics->emplace_back().name = name;
  answer = co_await broker.ask<MetadataResponse>(named);
  std::vector<std::pair<std::string, int16_t>> seen;
  for (const auto& one : answer.topics) seen.emplace_back(*one.name, one.error_code);
  EXPECT_THAT(seen, UnorderedElementsAre(std::pair("open", 0), std::pair("creatable", 0), std::pair("missing", code(denied_topic)),
                                         std::pair("secret", code(denied_topic))));
  EXPECT_EQ(broker.broker().first_shard().image->find_topic("missing"), nullptr);

  DescribeTopicPartitionsRequest pages;
  pages.response_partition_limit = 100;
  EXPECT_EQ((co_await broker.ask<DescribeTopicPartitionsResponse>(pages)).topics.size(), 2U);
}
TEST(PartialAccess, MetadataHidesTopicsAndMakesOnlyThoseThatTheCallerMayCreate) { with_broker(metadata_story); }

task<void> cluster_story(TestBroker& broker) {
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow_on_cluster(describe).allow_on_cluster(alter); });
  DescribeClusterRequest request;
  request.include_cluster_authorized_operations = true;
  EXPECT_EQ((co_await broker.ask<DescribeClusterResponse>(request)).cluster_authorized_operations, 1 << 7 | 1 << 8);
}
TEST(PartialAccess, OperationsOnTheClusterAreThoseOfTheCaller) { with_broker(cluster_story); }

task<void> create_story(TestBroker& broker) {
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow(create, topic, "mine").allow(create, topic, "known").allow(describe_configs, topic, "known"); });
  const auto answer = co_await broker.ask<CreateTopicsResponse>(creating({"mine", "theirs", "known", "twice", "twice"}));
  std::map<std::string, CreateTopicsResponse::CreatableTopicResult> by_name;
  for (const auto& one : answer.topics) by_name[one.name] = one;
  EXPECT_EQ(by_name["mine"].error_code, 0);
  EXPECT_EQ(by_name["mine"].topic_config_error_code, code(denied_topic));
  EXPECT_EQ(by_name["mine"].num_partitions, -1);
  EXPECT_EQ(by_name["known"].topic_config_error_code, 0);
  EXPECT_EQ(by_name["known"].num_partitions, 1);
  EXPECT_EQ(by_name["theirs"].error_code, code(denied_topic));
  EXPECT_EQ(by_name["theirs"].error_message, "Authorization failed.");
  EXPECT_EQ(by_name["twice"].error_code, code(ErrorCode::invalid_request));
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow_on_cluster(create); });
  EXPECT_EQ((co_await broker.ask<CreateTopicsResponse>(creating({"any"}))).topics.at(0).error_code, 0);
}
TEST(PartialAccess, CreateTopicsNeedsTheTopicOrTheClusterAndHidesSettings) { with_broker(create_story); }

task<void> delete_story(TestBroker& broker) {
  co_await make_topics(broker, {"mine", "seen", "hidden"});
  const auto id_of = [&](std::string_view name) { return broker.broker().first_shard().image->find_topic(name)->id; };
  allow_only(broker, [](RuleAuthorizer& rules) {
    rules.allow(describe, topic, "mine").allow(delete_, topic, "mine").allow(describe, topic, "seen").allow(describe, topic, "missing");
  });
  DeleteTopicsRequest by_id;
  for (const auto* name : {"seen", "hidden"}) by_id.topics.emplace_back().topic_id = id_of(name);
  auto answer = co_await broker.ask<DeleteTopicsResponse>(by_id);
  EXPECT_EQ(answer.responses.at(0).name, "seen");
  EXPECT_EQ(answer.responses.at(0).error_code, code(denied_topic));
  EXPECT_EQ(answer.responses.at(1).name, std::nullopt);
  EXPECT_EQ(answer.responses.at(1).error_code, code(denied_topic));
  DeleteTopicsRequest by_name;
  for (const auto* name : {"mine", "seen", "hidden", "missing", "unknown"}) by_name.topics.emplace_back().name = name;
  answer = co_await broker.ask<DeleteTopicsResponse>(by_name);
  std::map<std::string, int16_t> errors;
  for (const auto& one : answer.responses) errors[*one.name] = one.error_code;
  EXPECT_EQ(errors, (std::map<std::string, int16_t>{{"mine", 0}, {"seen", code(denied_topic)}, {"hidden", code(denied_topic)},
                                                   {"missing", code(ErrorCode::unknown_topic_or_partition)}, {"unknown", code(denied_topic)}}));
  EXPECT_EQ(broker.broker().first_shard().image->find_topic("mine"), nullptr);
  EXPECT_NE(broker.broker().first_shard().image->find_topic("seen"), nullptr);
}
TEST(PartialAccess, DeleteTopicsNeedsTheTopicAndTellsNothingOfOthers) { with_broker(delete_story); }

task<void> data_story(TestBroker& broker) {
  co_await make_topics(broker, {"mine", "theirs"});
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow(write, topic, "mine").allow(read, topic, "mine"); });
  const auto id_of = [&](std::string_view name) { return broker.broker().first_shard().image->find_topic(name)->id; };
  ProduceRequest produce;
  produce.acks = 1;
  for (const auto* name : {"theirs", "mine"}) {
    auto& one = produce.topic_data.emplace_back();
    one.topic_id = id_of(name);
    one.partition_data.emplace_back().records = Records(ByteView());
  }
  produce.topic_data.emplace_back().topic_id = {1, 2};
  produce.topic_data.back().partition_data.emplace_back().records = Records(ByteView());
  const auto produced = co_await broker.ask<ProduceResponse>(produce);
  EXPECT_EQ(produced.responses.at(0).partition_responses.at(0).error_code, code(denied_topic));
  EXPECT_NE(produced.responses.at(1).partition_responses.at(0).error_code, code(denied_topic));
  EXPECT_EQ(produced.responses.at(2).partition_responses.at(0).error_code, code(ErrorCode::unknown_topic_id));

  FetchRequest fetch;
  fetch.session_epoch = 0;
  for (const auto* name : {"theirs", "mine"}) {
    auto& one = fetch.topics.emplace_back();
    one.topic_id = id_of(name);
    one.partitions.emplace_back().partition_max_bytes = 1000;
  }
  const auto fetched = co_await broker.ask<FetchResponse>(fetch);
  EXPECT_EQ(fetched.responses.at(0).partitions.at(0).error_code, code(denied_topic));
  EXPECT_EQ(fetched.responses.at(1).partitions.at(0).error_code, 0);
}
TEST(PartialAccess, ProduceAndFetchRefuseTopicByTopic) { with_broker(data_story); }

task<void> producer_id_story(TestBroker& broker) {
  InitProducerIdRequest request;
  request.transactional_id.reset();
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow(read, topic, "t"); });
  EXPECT_EQ((co_await broker.ask<InitProducerIdResponse>(request, 4)).error_code, code(ErrorCode::cluster_authorization_failed));
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow(write, topic, "t"); });
  EXPECT_EQ((co_await broker.ask<InitProducerIdResponse>(request, 4)).error_code, 0);
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow_on_cluster(idempotent_write); });
  EXPECT_EQ((co_await broker.ask<InitProducerIdResponse>(request, 4)).error_code, 0);
}
TEST(PartialAccess, AProducerIdNeedsIdempotentWriteOrAnyTopicToWriteTo) { with_broker(producer_id_story); }

task<void> group_story(TestBroker& broker) {
  co_await make_topics(broker, {"mine", "theirs"});
  const auto id_of = [&](std::string_view name) { return broker.broker().first_shard().image->find_topic(name)->id; };
  const auto committing = [&](std::string name) {
    OffsetCommitRequest request;
    request.group_id = std::move(name);
    for (const auto* one : {"mine", "theirs"}) {
      auto& asked = request.topics.emplace_back();
      asked.topic_id = id_of(one);
      asked.partitions.emplace_back().committed_offset = 5;
    }
    return request;
  };
  FindCoordinatorRequest find;
  find.coordinator_keys = {"other"};
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow(read, group, "g").allow(describe, group, "g").allow(read, topic, "mine"); });
  auto place = co_await broker.ask<FindCoordinatorResponse>(find);
  EXPECT_EQ(place.coordinators.at(0).error_code, code(ErrorCode::group_authorization_failed));
  EXPECT_EQ(broker.broker().first_shard().image->find_topic("__consumer_offsets"), nullptr) << "a stranger's question made a topic";
  find.coordinator_keys = {"g"};
  place = co_await broker.ask<FindCoordinatorResponse>(find);
  EXPECT_EQ(place.coordinators.at(0).error_code, 0);
  const auto committed = co_await broker.ask<OffsetCommitResponse>(committing("g"));
  EXPECT_EQ(committed.topics.at(0).partitions.at(0).error_code, 0);
  EXPECT_EQ(committed.topics.at(1).partitions.at(0).error_code, code(denied_topic));

  allow_all(broker);
  co_await broker.ask<OffsetCommitResponse>(committing("g"));
  co_await broker.ask<OffsetCommitResponse>(committing("other"));
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow(describe, group, "g").allow(describe, topic, "mine"); });
  OffsetFetchRequest fetch;
  for (const auto* name : {"g", "other"}) {
    auto& asked = fetch.groups.emplace_back();
    asked.group_id = name;
    asked.topics.reset();
  }
  const auto fetched = co_await broker.ask<OffsetFetchResponse>(fetch);
  EXPECT_EQ(fetched.groups.at(0).topics.size(), 1U);
  EXPECT_EQ(fetched.groups.at(0).topics.at(0).topic_id, id_of("mine"));
  EXPECT_EQ(fetched.groups.at(1).error_code, code(ErrorCode::group_authorization_failed));

  const auto listed = co_await broker.ask<ListGroupsResponse>(ListGroupsRequest{});
  EXPECT_EQ(listed.groups.size(), 1U);
  EXPECT_EQ(listed.groups.at(0).group_id, "g");
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow_on_cluster(describe); });
  EXPECT_EQ((co_await broker.ask<ListGroupsResponse>(ListGroupsRequest{})).groups.size(), 2U);
}
TEST(PartialAccess, GroupsAndTheirOffsetsAreSeenByWhoMayDescribeBoth) { with_broker(group_story); }

task<void> config_story(TestBroker& broker) {
  co_await make_topics(broker, {"mine", "theirs"});
  allow_only(broker, [](RuleAuthorizer& rules) { rules.allow(describe_configs, topic, "mine").allow(alter_configs, topic, "mine"); });
  DescribeConfigsRequest describing;
  IncrementalAlterConfigsRequest altering;
  for (const auto& [type, name] : {std::pair<int8_t, const char*>{4, "1"}, {2, "theirs"}, {2, "mine"}, {32, "g"}}) {
    auto& one = describing.resources.emplace_back();
    one.resource_type = type;
    one.resource_name = name;
    one.configuration_keys.reset();
    auto& other = altering.resources.emplace_back();
    other.resource_type = type;
    other.resource_name = name;
  }
  auto& change = altering.resources.at(2).configs.emplace_back();
  change.name = "retention.ms";
  change.value = "1000";
  std::vector<int16_t> described;
  for (const auto& one : (co_await broker.ask<DescribeConfigsResponse>(describing)).results) described.push_back(one.error_code);
  EXPECT_THAT(described, ElementsAre(0, 31, 29, 30));
  std::vector<int16_t> altered;
  for (const auto& one : (co_await broker.ask<IncrementalAlterConfigsResponse>(altering)).responses) altered.push_back(one.error_code);
  EXPECT_THAT(altered, ElementsAre(31, 29, 0, 30));
}
TEST(PartialAccess, SettingsAreTheirResourcesOwnersBusiness) { with_broker(config_story); }

}  // namespace
}  // namespace moldau::server
