// Brokers come, go, die, and say where their replicas lie.
#include <gtest/gtest.h>

#include "controller/world_for_test.h"

namespace moldau::controller::test {
namespace {

using protocol::ErrorCode;

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
}  // namespace moldau::controller::test
