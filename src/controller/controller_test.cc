#include "controller/controller.h"

#include <algorithm>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "controller/local_node.h"
#include "controller/partition_assignment.h"
#include "controller/replica_placement.h"
#include "metadata/snapshot_records.h"

namespace moldau::controller {
namespace {

using metadata::MetadataImage;
using metadata::MetadataRecords;
using protocol::ErrorCode;

Uuid id_of(int64_t number) { return {number * 7919, number + 1000}; }

// A controller with its log: answers are appended and replayed at once.
class World {
 public:
  explicit World(int32_t brokers = 1) {
    ControllerOptions options = options_now();
    controller_.emplace(options, std::make_shared<const MetadataImage>());
    controller_->set_kraft_version(1);
    append(controller_->activate(bootstrap_records()));
    for (int32_t id = 1; id <= brokers; ++id) {
      register_broker(id);
      unfence(id);
    }
  }

  ControllerOptions options_now() {
    ControllerOptions options;
    options.cluster_id = "c";
    options.config.fixed = &fixed_;
    options.random_uuid = [this] { return id_of(++uuids_); };
    options.random = [this] { return random_(); };
    return options;
  }

  template <class Request>
  auto send(const Request& request, int16_t version = 100) {
    auto answer = controller_->handle(request, {version, now_ms, end()});
    append(answer.records);
    return answer;
  }
  void append(const MetadataRecords& records) {
    if (records.empty()) return;
    const auto published = controller_->replay(records, end(), LeaderEpoch(1), 0);
    ASSERT_TRUE(published) << published.error();
    log.insert(log.end(), records.begin(), records.end());
  }
  // A new process on the same log.
  void restart() {
    controller_.emplace(options_now(), std::make_shared<const MetadataImage>());
    controller_->set_kraft_version(1);
    const auto published = controller_->replay(log, Offset(0), LeaderEpoch(1), 0);
    ASSERT_TRUE(published) << published.error();
    append(controller_->activate(bootstrap_records()));
  }

  int64_t register_broker(int32_t id, int64_t previous_epoch = -1, std::vector<Uuid> log_dirs = {}) {
    LocalNode node;
    node.node_id = id;
    node.cluster_id = "c";
    node.incarnation_id = id_of(++uuids_);
    node.endpoints = {{"PLAINTEXT", "h", 9092, 0}};
    node.log_dirs = log_dirs.empty() ? std::vector{id_of(-id)} : std::move(log_dirs);
    const auto answer = send(broker_registration(node, previous_epoch));
    EXPECT_EQ(answer.response.error_code, 0);
    return answer.response.broker_epoch;
  }
  protocol::BrokerHeartbeatResponse heartbeat(int32_t id, bool want_fence, bool want_shut_down = false) {
    protocol::BrokerHeartbeatRequest request;
    request.broker_id = id;
    request.broker_epoch = image().find_broker(id)->epoch;
    request.current_metadata_offset = end().value() - 1;
    request.want_fence = want_fence;
    request.want_shut_down = want_shut_down;
    request.cordoned_log_dirs = std::vector<Uuid>{};
    return send(request).response;
  }
  void unfence(int32_t id) { EXPECT_FALSE(heartbeat(id, false).is_fenced); }
  // As a node does at its orderly end.
  void shut_down(int32_t id) {
    int heartbeats = 1;
    while (!heartbeat(id, false, true).should_shut_down && heartbeats < 5) ++heartbeats;
    EXPECT_LE(heartbeats, 2);
  }

  protocol::CreateTopicsResponse::CreatableTopicResult create(const std::string& name, int32_t partitions = 1,
                                                               int16_t factor = 1) {
    protocol::CreateTopicsRequest request;
    request.topics.push_back({name, partitions, factor, {}, {}, {}});
    return send(request).response.topics.at(0);
  }
  const metadata::Partition& partition(const std::string& topic, size_t index = 0) {
    return image().find_topic(topic)->partitions.at(index);
  }
  const MetadataImage& image() { return *controller_->image(); }
  Controller& controller() { return *controller_; }
  Offset end() { return Offset(static_cast<int64_t>(log.size())); }
  std::vector<std::string_view> names_from(size_t first) {
    std::vector<std::string_view> names;
    for (size_t i = first; i < log.size(); ++i) names.push_back(metadata::record_name(log[i]));
    return names;
  }

  MetadataRecords log;
  int64_t now_ms = 1000;

 private:
  std::optional<Controller> controller_;
  metadata::ConfigMap fixed_;
  int64_t uuids_ = 0;
  std::mt19937_64 random_{5};
};

std::vector<int32_t> ids(std::initializer_list<int32_t> list) { return list; }

// --- a node's life ----------------------------------------------------------------------------------------------------

TEST(Bootstrap, AFreshLogBeginsAsKafkasDoes) {
  World world(0);
  ASSERT_EQ(world.names_from(0),
            (std::vector<std::string_view>{"BeginTransactionRecord", "FeatureLevelRecord", "FeatureLevelRecord",
                                           "FeatureLevelRecord", "FeatureLevelRecord", "FeatureLevelRecord",
                                           "FeatureLevelRecord", "ConfigRecord", "EndTransactionRecord"}));
  const MetadataImage& image = world.image();
  EXPECT_EQ(image.feature_level("metadata.version"), 30);
  EXPECT_EQ(image.feature_level("transaction.version"), 2);
  for (const auto* feature : {"group.version", "share.version", "streams.version", "eligible.leader.replicas.version",
                              "kraft.version"})
    EXPECT_EQ(image.feature_level(feature), 1) << feature;
  EXPECT_EQ(image.find_configs(metadata::ResourceType::broker, "").at("min.insync.replicas"), "1");
  EXPECT_TRUE(world.controller().activate(bootstrap_records()).empty()) << "only once";
}

TEST(Bootstrap, ATransactionLeftOpenIsAborted) {
  World world(0);
  World other(0);
  protocol::TopicRecord topic;
  topic.name = "half";
  topic.topic_id = id_of(1);
  world.append({{protocol::BeginTransactionRecord{}, 0}, {topic, 0}});
  world.restart();
  EXPECT_EQ(metadata::record_name(world.log.back()), "AbortTransactionRecord");
  EXPECT_EQ(world.image().find_topic("half"), nullptr);
  EXPECT_TRUE(same_content(world.image(), other.image()));
}

TEST(BrokerLife, FirstRegistrationUnfencingAndOrderlyRestartWriteWhatKafkaWrites) {
  World world(0);
  size_t before = world.log.size();
  const int64_t epoch = world.register_broker(1);
  EXPECT_EQ(epoch, static_cast<int64_t>(before));
  EXPECT_TRUE(world.image().find_broker(1)->fenced);
  world.unfence(1);
  EXPECT_EQ(world.names_from(before),
            (std::vector<std::string_view>{"RegisterBrokerRecord", "BrokerRegistrationChangeRecord",
                                           "BrokerRegistrationChangeRecord"}));
  world.create("t", 2);

  before = world.log.size();
  world.shut_down(1);
  ASSERT_EQ(world.names_from(before),
            (std::vector<std::string_view>{"BrokerRegistrationChangeRecord", "PartitionChangeRecord",
                                           "PartitionChangeRecord", "BrokerRegistrationChangeRecord"}));
  const auto& change = std::get<protocol::PartitionChangeRecord>(world.log[before + 1].message);
  EXPECT_EQ(change.leader, -1);
  EXPECT_EQ(change.isr, ids({}));
  EXPECT_EQ(change.eligible_leader_replicas, ids({1}));
  EXPECT_EQ(change.last_known_elr, ids({1}));

  world.restart();
  before = world.log.size();
  world.register_broker(1, epoch);
  EXPECT_EQ(world.names_from(before), std::vector<std::string_view>{"RegisterBrokerRecord"});
  world.unfence(1);
  const auto& back = std::get<protocol::PartitionChangeRecord>(world.log.back().message);
  EXPECT_EQ(back.leader, 1);
  EXPECT_EQ(back.isr, ids({1}));
  EXPECT_EQ(back.eligible_leader_replicas, ids({}));
  EXPECT_EQ(back.last_known_elr, ids({}));
  EXPECT_EQ(world.partition("t").leader_epoch, 2);
  EXPECT_EQ(world.partition("t").leader_recovery_state, metadata::LeaderRecoveryState::recovered);
}

TEST(BrokerLife, AfterAKillTheOnlyReplicaLeadsAgainAndIsMarkedRecovering) {
  World world;
  world.create("t");
  world.restart();
  world.register_broker(1, -1);
  EXPECT_EQ(world.partition("t").leader, -1);
  EXPECT_EQ(world.partition("t").isr, ids({}));
  EXPECT_EQ(world.partition("t").eligible_leader_replicas, ids({}));
  EXPECT_EQ(world.partition("t").last_known_elr, ids({1}));
  world.unfence(1);
  EXPECT_EQ(world.partition("t").leader, 1);
  EXPECT_EQ(world.partition("t").isr, ids({1}));
  EXPECT_EQ(world.partition("t").last_known_elr, ids({}));
  EXPECT_EQ(world.partition("t").leader_recovery_state, metadata::LeaderRecoveryState::recovering);
}

TEST(BrokerLife, WithoutEligibleLeadersTheLastInSyncReplicaStaysSo) {
  World world;
  protocol::UpdateFeaturesRequest request;
  request.feature_updates.push_back({"eligible.leader.replicas.version", 0, false, 2, {}});
  EXPECT_EQ(world.send(request, 2).response.error_code, 0);
  world.create("t");
  world.shut_down(1);
  EXPECT_EQ(world.partition("t").leader, -1);
  EXPECT_EQ(world.partition("t").isr, ids({1}));
  EXPECT_EQ(world.partition("t").eligible_leader_replicas, ids({}));
  world.restart();
  world.register_broker(1, -1);
  world.unfence(1);
  EXPECT_EQ(world.partition("t").leader, 1);
  EXPECT_EQ(world.partition("t").leader_recovery_state, metadata::LeaderRecoveryState::recovered);
}

TEST(BrokerLife, ThreeBrokersHandLeadershipOnAndTakeItBackOnlyWhenNobodyHasIt) {
  World world(3);
  world.create("t", 6, 3);
  world.shut_down(2);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_NE(world.partition("t", i).leader, 2);
    EXPECT_NE(world.partition("t", i).leader, -1);
    EXPECT_EQ(world.partition("t", i).isr.size(), 2U);
  }
  const int32_t leader = world.partition("t", 0).leader;
  world.register_broker(2, world.image().find_broker(2)->epoch);
  world.unfence(2);
  EXPECT_EQ(world.partition("t", 0).leader, leader);
  EXPECT_EQ(world.partition("t", 0).isr.size(), 2U) << "a replica joins the ISR when its leader says so";
}

TEST(BrokerLife, RegistrationIsRefusedWhereKafkaRefusesIt) {
  World world;
  LocalNode node;
  node.node_id = 2;
  node.cluster_id = "c";
  node.incarnation_id = id_of(900);
  node.log_dirs = {id_of(901)};
  const auto code_of = [&](const protocol::BrokerRegistrationRequest& request) {
    return static_cast<ErrorCode>(world.controller().handle(request, {4, world.now_ms, world.end()}).response.error_code);
  };
  EXPECT_EQ(code_of(broker_registration(node, -1)), ErrorCode::none);
  auto request = broker_registration(node, -1);
  request.cluster_id = "other";
  EXPECT_EQ(code_of(request), ErrorCode::inconsistent_cluster_id);
  request = broker_registration(node, -1);
  request.log_dirs = {};
  EXPECT_EQ(code_of(request), ErrorCode::invalid_registration);
  request.log_dirs = {Uuid{0, 1}};
  EXPECT_EQ(code_of(request), ErrorCode::invalid_registration);
  request.log_dirs = {id_of(-1)};
  EXPECT_EQ(code_of(request), ErrorCode::invalid_registration) << "broker 1 has it";
  request = broker_registration(node, -1);
  std::erase_if(request.features, [](const auto& one) { return one.name == "group.version"; });
  EXPECT_EQ(code_of(request), ErrorCode::unsupported_version);
  node.node_id = 1;
  node.log_dirs = {id_of(-1)};
  EXPECT_EQ(code_of(broker_registration(node, -1)), ErrorCode::duplicate_broker_registration) << "it lives";
  world.now_ms += 9000;
  EXPECT_EQ(code_of(broker_registration(node, -1)), ErrorCode::none);
}

TEST(BrokerLife, TheSameIncarnationKeepsItsEpochAndStaysUnfenced) {
  World world;
  const metadata::Broker broker = *world.image().find_broker(1);
  LocalNode node{1, "c", broker.incarnation_id, {{"PLAINTEXT", "elsewhere", 9093, 0}}, {}, {id_of(-1)}};
  const auto answer = world.send(broker_registration(node, -1));
  EXPECT_EQ(answer.response.broker_epoch, broker.epoch);
  EXPECT_FALSE(world.image().find_broker(1)->fenced);
  EXPECT_EQ(world.image().find_broker(1)->endpoints.front().host, "elsewhere");
}

TEST(BrokerLife, ASilentBrokerIsFencedAndAStaleEpochNotHeard) {
  World world(2);
  world.create("t", 2, 2);
  world.now_ms += 5000;
  world.heartbeat(1, false);
  world.now_ms += 5000;
  world.append(world.controller().fence_a_silent_broker(world.now_ms));
  EXPECT_TRUE(world.image().find_broker(2)->fenced);
  EXPECT_FALSE(world.image().find_broker(1)->fenced);
  EXPECT_EQ(world.partition("t").leader, 1);
  EXPECT_TRUE(world.controller().fence_a_silent_broker(world.now_ms).empty());
  protocol::BrokerHeartbeatRequest stale;
  stale.broker_id = 1;
  stale.broker_epoch = 0;
  EXPECT_EQ(world.send(stale).response.error_code, static_cast<int16_t>(ErrorCode::stale_broker_epoch));
}

TEST(BrokerLife, AnUnknownBrokerCannotBeUnregistered) {
  World world(2);
  world.create("t", 1, 2);
  protocol::UnregisterBrokerRequest request;
  EXPECT_EQ(world.send(request).response.error_message, "Broker ID 0 is not currently registered");
  request.broker_id = 2;
  EXPECT_EQ(world.send(request).response.error_code, 0);
  EXPECT_EQ(world.image().find_broker(2), nullptr);
  EXPECT_EQ(world.partition("t").isr, ids({1}));
  EXPECT_EQ(world.partition("t").leader, 1);
}

// --- topics -----------------------------------------------------------------------------------------------------------

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

// --- placement --------------------------------------------------------------------------------------------------------

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

// --- features, ids, settings ------------------------------------------------------------------------------------------

TEST(UpdateFeatures, TheAnswersAreKafkas) {
  World world;
  const auto update = [&](const std::string& feature, int16_t level, int8_t type, bool validate_only = false) {
    protocol::UpdateFeaturesRequest request;
    request.feature_updates.push_back({feature, level, false, type, {}});
    request.validate_only = validate_only;
    const auto response = world.send(request, 2).response;
    constexpr std::string_view start = "The update failed for all features since the following feature had an error: ";
    const std::string message = response.error_message.value_or("");
    return message.empty() ? fmt::format("{}", response.error_code) : message.substr(start.size());
  };
  EXPECT_EQ(update("share.version", 9, 1),
            "Invalid update version 9 for feature share.version. Local controller 1 only supports versions 0-1");
  EXPECT_EQ(update("nope", 1, 1), "Invalid update version 1 for feature nope. Local controller 1 does not support this feature.");
  EXPECT_EQ(update("metadata.version", 29, 2),
            "Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the requested downgrade because it "
            "might delete metadata information.");
  EXPECT_EQ(update("kraft.version", 0, 2),
            "Invalid update version 0 for feature kraft.version. Can't downgrade the version of this feature.");
  EXPECT_NE(update("streams.version", 0, 1).find("upgrade type"), std::string::npos);
  EXPECT_NE(update("streams.version", 0, 7).find("upgrade type"), std::string::npos);
  EXPECT_EQ(update("streams.version", 0, 2, true), "0");
  EXPECT_EQ(world.image().feature_level("streams.version"), 1) << "only validated";
  EXPECT_EQ(update("streams.version", 0, 2), "0");
  EXPECT_EQ(world.image().feature_level("streams.version"), 0);
  EXPECT_EQ(update("streams.version", 1, 2), "Invalid update version 1 for feature streams.version. Can't downgrade to a newer version.");
  EXPECT_EQ(update("streams.version", 1, 1), "0");
}

TEST(UpdateFeatures, OldVersionsHaveAResultForEachFeature) {
  World world;
  protocol::UpdateFeaturesRequest request;
  request.feature_updates.push_back({"streams.version", 0, true, 1, {}});
  const auto response = world.send(request, 0).response;
  EXPECT_EQ(response.error_code, 0);
  ASSERT_EQ(response.results.size(), 1U);
  EXPECT_EQ(response.results[0].feature, "streams.version");
}

TEST(ProducerIds, ComeInBlocksThatNobodyElseGets) {
  World world;
  protocol::AllocateProducerIdsRequest request;
  request.broker_id = 1;
  EXPECT_EQ(world.send(request).response.error_code, static_cast<int16_t>(ErrorCode::stale_broker_epoch));
  request.broker_epoch = world.image().find_broker(1)->epoch;
  for (int64_t start : {0, 1000, 2000}) {
    const auto response = world.send(request).response;
    EXPECT_EQ(response.producer_id_start, start);
    EXPECT_EQ(response.producer_id_len, 1000);
    if (start == 1000) {
      world.restart();
      world.register_broker(1);
      request.broker_epoch = world.image().find_broker(1)->epoch;
    }
  }
}

TEST(AlterConfigs, AChangedMinimumClearsTheEligibleLeaders) {
  World world;
  world.create("t");
  protocol::IncrementalAlterConfigsRequest request;
  request.resources.push_back({2, "t", {{"min.insync.replicas", 0, "1", {}}, {"retention.ms", 0, "7", {}}}, {}});
  const auto answer = world.send(request);
  EXPECT_EQ(answer.response.responses.at(0).error_code, 0);
  EXPECT_EQ(metadata::record_name(world.log.back()), "ClearElrRecord");
  EXPECT_EQ(world.image().find_configs(metadata::ResourceType::topic, "t").at("retention.ms"), "7");
}

// --- a random history -------------------------------------------------------------------------------------------------

TEST(RandomHistory, ReplayGivesWhatTheControllerHadAndEveryLeaderIsInSyncAndAlive) {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    World world(3);
    std::mt19937_64 random(seed);
    for (int step = 0; step < 120; ++step) {
      const auto broker = static_cast<int32_t>(1 + random() % 3);
      const std::string name = fmt::format("t{}", random() % 8);
      switch (random() % 7) {
        case 0:
        case 1: world.create(name, static_cast<int32_t>(1 + random() % 4), static_cast<int16_t>(1 + random() % 3)); break;
        case 2: {
          protocol::DeleteTopicsRequest request;
          request.topic_names = {name};
          world.send(request, 5);
          break;
        }
        case 3: {
          protocol::CreatePartitionsRequest request;
          request.topics.push_back({name, static_cast<int32_t>(1 + random() % 8), std::nullopt, {}});
          world.send(request);
          break;
        }
        case 4: world.heartbeat(broker, true); break;
        case 5: world.heartbeat(broker, false); break;
        case 6: {
          const bool is_clean = random() % 2 == 0;
          const int64_t epoch = world.image().find_broker(broker)->epoch;
          if (is_clean) world.heartbeat(broker, false, true), world.heartbeat(broker, false, true);
          world.now_ms += 10'000;
          world.register_broker(broker, is_clean ? epoch : -1);
          world.unfence(broker);
          break;
        }
      }
      for (const auto& [id, topic] : world.image().topics_by_id)
        for (const metadata::Partition& one : topic->partitions) {
          if (one.leader == -1) continue;
          EXPECT_TRUE(world.image().is_active(one.leader)) << "seed " << seed << " step " << step;
          EXPECT_NE(std::ranges::find(one.isr, one.leader), one.isr.end()) << "seed " << seed << " step " << step;
          for (const int32_t eligible : one.eligible_leader_replicas)
            EXPECT_EQ(std::ranges::find(one.isr, eligible), one.isr.end());
        }
    }
    const metadata::MetadataImagePtr before = world.controller().image();
    world.restart();
    EXPECT_TRUE(same_content(*before, world.image())) << "seed " << seed;
  }
}

// --- log directories (KIP-858) --------------------------------------------------------------------------------------

protocol::AssignReplicasToDirsResponse assign(World& world, const Uuid& topic, int32_t partition, const Uuid& directory) {
  protocol::AssignReplicasToDirsRequest request;
  request.broker_id = 1;
  request.broker_epoch = world.image().find_broker(1)->epoch;
  auto& asked = request.directories.emplace_back();
  asked.id = directory;
  auto& asked_topic = asked.topics.emplace_back();
  asked_topic.topic_id = topic;
  asked_topic.partitions.emplace_back().partition_index = partition;
  return world.send(request).response;
}

int16_t error_of(const protocol::AssignReplicasToDirsResponse& response) {
  return response.directories.at(0).topics.at(0).partitions.at(0).error_code;
}

TEST(LogDirectories, ABrokerSaysWhereReplicasLieAndNobodyLeadsWhatLiesInAFailedOne) {
  World world(0);
  const Uuid a = id_of(501);
  const Uuid b = id_of(502);
  world.register_broker(1, -1, {a, b});
  world.unfence(1);
  world.create("t", 2);
  const Uuid topic = world.image().find_topic("t")->id;
  EXPECT_EQ(world.partition("t", 0).directories, std::vector{metadata::unassigned_directory});
  const int32_t epoch = world.partition("t", 0).leader_epoch;
  EXPECT_EQ(error_of(assign(world, topic, 0, a)), 0);
  EXPECT_EQ(error_of(assign(world, topic, 1, b)), 0);
  EXPECT_EQ(world.partition("t", 0).directories, std::vector{a});
  EXPECT_EQ(world.partition("t", 0).leader_epoch, epoch) << "a place is no change of leaders";
  const size_t before = world.log.size();
  EXPECT_EQ(error_of(assign(world, topic, 0, a)), 0);
  EXPECT_EQ(world.log.size(), before) << "what is known is not written again";

  protocol::BrokerHeartbeatRequest heartbeat;
  heartbeat.broker_id = 1;
  heartbeat.broker_epoch = world.image().find_broker(1)->epoch;
  heartbeat.current_metadata_offset = world.end().value() - 1;
  heartbeat.offline_log_dirs = {b};
  EXPECT_EQ(world.send(heartbeat).response.error_code, 0);
  EXPECT_EQ(world.image().find_broker(1)->log_dirs, std::vector{a});
  EXPECT_EQ(world.partition("t", 0).leader, 1);
  EXPECT_EQ(world.partition("t", 1).leader, -1);

  // A start without it, and one with it.
  world.shut_down(1);
  world.register_broker(1, world.image().find_broker(1)->epoch, {a});
  world.unfence(1);
  EXPECT_EQ(world.partition("t", 0).leader, 1);
  EXPECT_EQ(world.partition("t", 1).leader, -1);
  world.shut_down(1);
  world.register_broker(1, world.image().find_broker(1)->epoch, {a, b});
  world.unfence(1);
  EXPECT_EQ(world.partition("t", 1).leader, 1);

  // What is said to lie in a directory that is not there is led by nobody.
  EXPECT_EQ(error_of(assign(world, topic, 1, id_of(503))), 0);
  EXPECT_EQ(world.partition("t", 1).leader, -1);
  EXPECT_EQ(error_of(assign(world, topic, 1, b)), 0);
  EXPECT_EQ(world.partition("t", 1).leader, 1);
}

TEST(LogDirectories, WhatIsNotThereIsRefused) {
  World world;
  world.create("t");
  const Uuid topic = world.image().find_topic("t")->id;
  EXPECT_EQ(error_of(assign(world, id_of(9), 0, id_of(-1))), static_cast<int16_t>(ErrorCode::unknown_topic_id));
  EXPECT_EQ(error_of(assign(world, topic, 7, id_of(-1))), static_cast<int16_t>(ErrorCode::unknown_topic_or_partition));
  protocol::AssignReplicasToDirsRequest old;
  old.broker_id = 1;
  old.broker_epoch = 0;
  EXPECT_EQ(world.send(old).response.error_code, static_cast<int16_t>(ErrorCode::stale_broker_epoch));
}

}  // namespace
}  // namespace moldau::controller
