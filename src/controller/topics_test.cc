// Topics are made, grow and go, and where their replicas are put.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "controller/replica_placement.h"
#include "controller/world_for_test.h"

namespace moldau::controller::test {
namespace {

using protocol::ErrorCode;

TEST(CreateTopics, ATopicHasItsConfigsBeforeItsPartitionsAndTheBrokersDirectory) {
  World world;
  protocol::CreateTopicsRequest request;
  request.topics.push_back({"t", 2, -1, {}, {{"min.insync.replicas", "1", {}}, {"retention.ms", "5", {}}}, {}});
  const size_t before = world.log.size();
  const auto topic = world.send(request).response.topics.at(0);
  EXPECT_EQ(topic.error_code, 0);
  EXPECT_EQ(topic.error_message, std::nullopt);
  EXPECT_EQ(topic.num_partitions, 2);
  EXPECT_EQ(topic.replication_factor, 1);
  EXPECT_EQ(topic.topic_id, world.image().find_topic("t")->id);
  ASSERT_TRUE(topic.configs);
  EXPECT_GT(topic.configs->size(), 20U);
  EXPECT_TRUE(std::ranges::is_sorted(*topic.configs, {}, [](const auto& one) { return one.name; }));
  EXPECT_EQ(world.names_from(before),
            (std::vector<std::string_view>{"TopicRecord", "ConfigRecord", "ConfigRecord", "ClearElrRecord",
                                           "PartitionRecord", "PartitionRecord"}));
  EXPECT_EQ(world.partition("t", 1).directories, std::vector<Uuid>{id_of(-1)});
  EXPECT_EQ(world.partition("t", 1).leader, 1);
}

TEST(CreateTopics, DefaultsAndValidateOnly) {
  World world;
  protocol::CreateTopicsRequest request;
  request.topics.push_back({"t", -1, -1, {}, {}, {}});
  request.validate_only = true;
  EXPECT_EQ(world.send(request).response.topics.at(0).num_partitions, 1);
  EXPECT_EQ(world.image().find_topic("t"), nullptr);
}

TEST(CreateTopics, EachMistakeGetsKafkasCode) {
  World world;
  world.create("a.b");
  const auto code_of = [&](protocol::CreateTopicsRequest::CreatableTopic topic) {
    protocol::CreateTopicsRequest request;
    request.topics.push_back(std::move(topic));
    request.validate_only = true;
    return static_cast<ErrorCode>(world.send(request).response.topics.at(0).error_code);
  };
  EXPECT_EQ(code_of({"a.b", 1, 1, {}, {}, {}}), ErrorCode::topic_already_exists);
  EXPECT_EQ(code_of({"a_b", 1, 1, {}, {}, {}}), ErrorCode::invalid_topic_exception);
  EXPECT_EQ(code_of({"a b", 1, 1, {}, {}, {}}), ErrorCode::invalid_topic_exception);
  EXPECT_EQ(code_of({"t", 0, 1, {}, {}, {}}), ErrorCode::invalid_partitions);
  EXPECT_EQ(code_of({"t", -2, 1, {}, {}, {}}), ErrorCode::invalid_partitions);
  EXPECT_EQ(code_of({"t", 1, 0, {}, {}, {}}), ErrorCode::invalid_replication_factor);
  EXPECT_EQ(code_of({"t", 1, 2, {}, {}, {}}), ErrorCode::invalid_replication_factor);
  EXPECT_EQ(code_of({"t", 10'001, 1, {}, {}, {}}), ErrorCode::policy_violation);
  EXPECT_EQ(code_of({"t", INT32_MAX, 1, {}, {}, {}}), ErrorCode::policy_violation);
  EXPECT_EQ(code_of({"t", 1, 1, {}, {{"retention.ms", std::nullopt, {}}}, {}}), ErrorCode::invalid_config);
  EXPECT_EQ(code_of({"t", 1, 1, {}, {{"retention.ms", "soon", {}}}, {}}), ErrorCode::invalid_config);
  EXPECT_EQ(code_of({"t", 1, 1, {}, {{"no.such.key", "1", {}}}, {}}), ErrorCode::invalid_config);
  EXPECT_EQ(code_of({"__cluster_metadata", 1, 1, {}, {}, {}}), ErrorCode::invalid_request);
  EXPECT_EQ(code_of({"t", 1, -1, {{0, {1}, {}}}, {}, {}}), ErrorCode::invalid_request);
  EXPECT_EQ(code_of({"t", -1, 1, {{0, {1}, {}}}, {}, {}}), ErrorCode::invalid_request);
  EXPECT_EQ(code_of({"t", -1, -1, {{0, {1}, {}}}, {}, {}}), ErrorCode::none);
  EXPECT_EQ(code_of({"t", -1, -1, {{0, {2}, {}}}, {}, {}}), ErrorCode::invalid_replica_assignment);
  EXPECT_EQ(code_of({"t", -1, -1, {{0, {1, 1}, {}}}, {}, {}}), ErrorCode::invalid_replica_assignment);
  EXPECT_EQ(code_of({"t", -1, -1, {{0, {}, {}}}, {}, {}}), ErrorCode::invalid_replica_assignment);
  EXPECT_EQ(code_of({"t", -1, -1, {{1, {1}, {}}}, {}, {}}), ErrorCode::invalid_replica_assignment);
  EXPECT_EQ(code_of({"t", -1, -1, {{0, {1}, {}}, {0, {1}, {}}}, {}, {}}), ErrorCode::invalid_replica_assignment);
  world.heartbeat(1, true);
  EXPECT_EQ(code_of({"t", 1, 1, {}, {}, {}}), ErrorCode::invalid_replication_factor) << "the broker is fenced";
}

TEST(CreateTopics, ANameGivenTwiceIsRefusedOnceAndTheOthersAreMade) {
  World world;
  protocol::CreateTopicsRequest request;
  for (const auto* name : {"twice", "fine", "twice"}) request.topics.push_back({name, 1, 1, {}, {}, {}});
  const auto topics = world.send(request).response.topics;
  ASSERT_EQ(topics.size(), 2U);
  EXPECT_EQ(topics[0].name, "fine");
  EXPECT_EQ(topics[0].error_code, 0);
  EXPECT_EQ(topics[1].error_code, static_cast<int16_t>(ErrorCode::invalid_request));
  EXPECT_EQ(world.image().find_topic("twice"), nullptr);
}

TEST(DeleteTopics, ByNameByIdAndTheMistakes) {
  World world;
  for (const auto* name : {"a", "b", "c", "d"}) world.create(name);
  const auto id = [&](const char* name) { return world.image().find_topic(name)->id; };
  protocol::DeleteTopicsRequest request;
  request.topics.push_back({"a", {}, {}});
  request.topics.push_back({std::nullopt, id("b"), {}});
  request.topics.push_back({"c", {}, {}});
  request.topics.push_back({"c", {}, {}});
  request.topics.push_back({"d", id("d"), {}});
  request.topics.push_back({std::nullopt, {}, {}});
  request.topics.push_back({std::nullopt, id_of(12345), {}});
  request.topics.push_back({"nope", {}, {}});
  const auto responses = world.send(request, 6).response.responses;
  std::multiset<std::pair<std::string, int16_t>> codes;
  for (const auto& one : responses) codes.emplace(one.name.value_or("-"), one.error_code);
  EXPECT_EQ(codes, (std::multiset<std::pair<std::string, int16_t>>{
                       {"a", 0}, {"b", 0}, {"c", 42}, {"d", 42}, {"-", 42}, {"-", 100}, {"nope", 3}}));
  EXPECT_EQ(world.image().find_topic("a"), nullptr);
  EXPECT_EQ(world.image().find_topic("b"), nullptr);
  EXPECT_NE(world.image().find_topic("c"), nullptr);
}

TEST(DeleteTopics, SwitchedOffItSaysSo) {
  World world;
  world.create("a");
  ControllerOptions options = world.options_now();
  options.delete_topic_enable = false;
  Controller controller(options, world.controller().image());
  protocol::DeleteTopicsRequest request;
  request.topic_names = {"a"};
  EXPECT_EQ(controller.handle(request, {2, 0, world.end()}).response.responses.at(0).error_code, 42);
  EXPECT_EQ(controller.handle(request, {5, 0, world.end()}).response.responses.at(0).error_code, 73);
}

TEST(CreatePartitions, AddsBehindTheLastAndRefusesWhatIsNoIncrease) {
  World world;
  world.create("t", 2);
  const auto code_of = [&](const std::string& name, int32_t count,
                           std::optional<std::vector<std::vector<int32_t>>> assignments = std::nullopt) {
    protocol::CreatePartitionsRequest request;
    protocol::CreatePartitionsRequest::CreatePartitionsTopic topic{name, count, std::nullopt, {}};
    if (assignments) {
      topic.assignments.emplace();
      for (auto& one : *assignments) topic.assignments->push_back({one, {}});
    }
    request.topics.push_back(topic);
    return world.send(request).response.results.at(0).error_code;
  };
  EXPECT_EQ(code_of("t", 2), 37);
  EXPECT_EQ(code_of("t", 1), 37);
  EXPECT_EQ(code_of("nope", 9), 3);
  EXPECT_EQ(code_of("t", 20'000), 44);
  EXPECT_EQ(code_of("t", 4, {{{1}}}), 39);
  EXPECT_EQ(code_of("t", 3, {{{7}}}), 39);
  EXPECT_EQ(code_of("t", 4), 0);
  EXPECT_EQ(code_of("t", 5, {{{1}}}), 0);
  EXPECT_EQ(world.image().find_topic("t")->partitions.size(), 5U);
  EXPECT_EQ(world.partition("t", 4).index, 4);
}

TEST(Placement, SpreadsLeadersEvenlyAndNeverPutsOneReplicaTwice) {
  std::mt19937_64 random(3);
  std::vector<UsableBroker> brokers;
  for (int32_t id = 0; id < 6; ++id) brokers.push_back({id, fmt::format("rack{}", id % 3), false});
  const auto placed = place_replicas(brokers, 60, 3, [&] { return random(); });
  ASSERT_TRUE(placed);
  std::map<int32_t, int> leads;
  for (const auto& replicas : *placed) {
    ++leads[replicas.front()];
    EXPECT_EQ(std::set<int32_t>(replicas.begin(), replicas.end()).size(), 3U);
    std::set<int32_t> racks;
    for (const int32_t broker : replicas) racks.insert(broker % 3);
    EXPECT_EQ(racks.size(), 3U) << "one replica a rack";
  }
  for (const auto& [broker, times] : leads) EXPECT_NEAR(times, 10, 4) << broker;
}

TEST(Placement, AFencedBrokerNeverLeads) {
  const std::vector<UsableBroker> brokers{{1, {}, true}, {2, {}, false}, {3, {}, false}};
  const auto placed = place_replicas(brokers, 30, 3, [] { return uint64_t{1}; });
  ASSERT_TRUE(placed);
  for (const auto& replicas : *placed) EXPECT_NE(replicas.front(), 1);
  EXPECT_FALSE(place_replicas({{1, {}, true}}, 1, 1, [] { return uint64_t{0}; }));
  EXPECT_FALSE(place_replicas(brokers, 1, 4, [] { return uint64_t{0}; }));
}

TEST(Placement, OneBrokerGetsEverything) {
  const auto placed = place_replicas({{1, {}, false}}, 100, 1, [] { return uint64_t{9}; });
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->size(), 100U);
}

}  // namespace
}  // namespace moldau::controller::test
