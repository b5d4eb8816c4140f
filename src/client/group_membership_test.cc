#include "client/group_membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "client/consumer_protocol.h"
#include "client/scripted_broker.h"
#include "protocol/messages/find_coordinator_response.h"
#include "protocol/messages/heartbeat_request.h"
#include "protocol/messages/heartbeat_response.h"
#include "protocol/messages/join_group_request.h"
#include "protocol/messages/leave_group_request.h"
#include "protocol/messages/leave_group_response.h"
#include "protocol/messages/metadata_request.h"
#include "protocol/messages/request_header.h"
#include "protocol/messages/sync_group_request.h"
#include "protocol/messages/sync_group_response.h"

namespace moldau::client {
namespace {

using protocol::ApiKey;
using protocol::ErrorCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <class Request>
Request decode(const ScriptedRequest& request) {
  protocol::Reader reader(ByteView(request.frame).subspan(4));
  (void)protocol::decode<protocol::RequestHeader>(reader, protocol::api_info(request.key).request_header_version(request.version));
  auto decoded = protocol::decode<Request>(reader, request.version);
  EXPECT_TRUE(decoded.has_value());
  return decoded ? std::move(*decoded) : Request{};
}

template <class Response>
Response with_code(ErrorCode code) {
  Response response;
  response.error_code = static_cast<int16_t>(code);
  return response;
}

// The coordinator of a group that this member leads. Every refusal is given once, in order; then all goes well, and a member
// gets what the leader gave it, or what `given` says.
struct Coordinator {
  std::map<std::string, int32_t> topics{{"t", 3}};
  std::vector<protocol::JoinGroupResponse::JoinGroupResponseMember> others;  // joined beside this one
  std::string leader = "member-1";
  std::vector<TopicPartition> given;
  std::deque<ErrorCode> join_refusals, sync_refusals, heartbeat_refusals, leave_refusals;
  ErrorCode refusal_of_leaving_member = ErrorCode::none;

  std::vector<std::string> joins;   // member ids that came, "-" for none
  std::vector<std::string> leaves;  // member id and instance id
  std::map<std::string, std::vector<TopicPartition>> assigned;  // by the leader, in the last SyncGroup
  int lookups = 0;
  int heartbeats = 0;
  int32_t generation = 0;

  static ErrorCode take(std::deque<ErrorCode>& refusals) {
    if (refusals.empty()) return ErrorCode::none;
    const ErrorCode code = refusals.front();
    refusals.pop_front();
    return code;
  }

  void operator()(ScriptedConnection& connection, const ScriptedRequest& request) {
    switch (request.key) {
      case ApiKey::api_versions: return connection.answer(request, all_api_versions());
      case ApiKey::metadata: return connection.answer(request, metadata(decode<protocol::MetadataRequest>(request)));
      case ApiKey::find_coordinator: {
        ++lookups;
        protocol::FindCoordinatorResponse response;
        auto& found = response.coordinators.emplace_back();
        found.node_id = 1;
        found.host = "script";
        found.port = 9092;
        return connection.answer(request, response);
      }
      case ApiKey::join_group: return connection.answer(request, join(decode<protocol::JoinGroupRequest>(request)));
      case ApiKey::sync_group: return connection.answer(request, sync(decode<protocol::SyncGroupRequest>(request)));
      case ApiKey::heartbeat: {
        const auto heartbeat = decode<protocol::HeartbeatRequest>(request);
        EXPECT_EQ(heartbeat.generation_id, generation);
        ++heartbeats;
        return connection.answer(request, with_code<protocol::HeartbeatResponse>(take(heartbeat_refusals)));
      }
      case ApiKey::leave_group: {
        const auto leaving = decode<protocol::LeaveGroupRequest>(request).members.at(0);
        leaves.push_back(leaving.member_id + " " + leaving.group_instance_id.value_or("-"));
        auto response = with_code<protocol::LeaveGroupResponse>(take(leave_refusals));
        response.members.emplace_back().error_code = static_cast<int16_t>(refusal_of_leaving_member);
        return connection.answer(request, response);
      }
      default: return connection.end();
    }
  }

  protocol::MetadataResponse metadata(const protocol::MetadataRequest& asked) const {
    protocol::MetadataResponse response;
    auto& broker = response.brokers.emplace_back();
    broker.node_id = 1;
    broker.host = "script";
    broker.port = 9092;
    for (const auto& one : asked.topics.value()) {
      auto& topic = response.topics.emplace_back();
      topic.name = *one.name;
      const auto found = topics.find(*one.name);
      if (found == topics.end()) topic.error_code = static_cast<int16_t>(ErrorCode::unknown_topic_or_partition);
      for (int32_t i = 0; found != topics.end() && i < found->second; ++i) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition_index = i;
        partition.leader_id = 1;
      }
    }
    return response;
  }

  protocol::JoinGroupResponse join(const protocol::JoinGroupRequest& request) {
    joins.push_back(request.member_id.empty() ? "-" : request.member_id);
    const ErrorCode refusal = take(join_refusals);
    auto response = with_code<protocol::JoinGroupResponse>(refusal);
    response.member_id = "member-1";
    if (refusal != ErrorCode::none) return response;
    response.generation_id = ++generation;
    response.protocol_name = request.protocols.at(0).name;
    response.leader = leader;
    if (leader != response.member_id) return response;
    response.members = others;
    auto& self = response.members.emplace_back();
    self.member_id = response.member_id;
    self.group_instance_id = request.group_instance_id;
    self.metadata = request.protocols.at(0).metadata;
    return response;
  }

  protocol::SyncGroupResponse sync(const protocol::SyncGroupRequest& request) {
    assigned.clear();
    for (const auto& one : request.assignments) assigned[one.member_id] = decode_assignment(one.assignment);
    auto response = with_code<protocol::SyncGroupResponse>(take(sync_refusals));
    response.assignment = encode_assignment(given.empty() ? assigned[request.member_id] : given);
    return response;
  }
};

using Story = std::function<task<void>(GroupMembership&)>;

task<void> live(ScriptedEnvironment& environment, const Story& story, GroupMembershipOptions options) {
  ClusterOptions cluster_options;
  cluster_options.bootstrap = {{"script", 9092}};
  cluster_options.retry_backoff_ms = 1;
  Cluster cluster(environment, cluster_options);
  {
    GroupMembership member(cluster, std::move(options));
    co_await story(member);
  }
  co_await cluster.close();
}

// Every heartbeat is due at once.
void as_member(Coordinator& coordinator, const Story& story,
               GroupMembershipOptions options = {.group_id = "g", .topics = {"t"}, .heartbeat_interval_ms = 0}) {
  ScriptedEnvironment environment([&coordinator](ScriptedConnection& connection, const ScriptedRequest& request) { coordinator(connection, request); });
  environment.run([&]() -> task<void> { return live(environment, story, options); });
}

const std::vector<TopicPartition> all_of_t = {{"t", 0}, {"t", 1}, {"t", 2}};

TEST(GroupMembership, JoinsWithTheIdThatItIsToldAndLeadsAGroupOfOne) {
  Coordinator coordinator;
  coordinator.join_refusals = {ErrorCode::member_id_required};
  as_member(coordinator, [](GroupMembership& member) -> task<void> {
    EXPECT_EQ(member.generation(), -1);
    EXPECT_TRUE(co_await member.join());
    EXPECT_TRUE(member.has_joined());
    EXPECT_EQ(member.assignment(), all_of_t);
    EXPECT_EQ(member.self().generation, 1);
    EXPECT_EQ(member.self().member_id, "member-1");
  });
  EXPECT_THAT(coordinator.joins, ElementsAre("-", "member-1"));
}

TEST(GroupMembership, ALeaderGivesEveryMemberItsShareOfTheTopicsThatExist) {
  Coordinator coordinator;
  coordinator.topics = {{"t", 3}, {"u", 1}};
  auto& other = coordinator.others.emplace_back();
  other.member_id = "member-2";
  other.metadata = encode_subscription({"t", "u", "deleted"});
  as_member(coordinator, [](GroupMembership& member) -> task<void> {
    EXPECT_TRUE(co_await member.join());
    EXPECT_THAT(member.assignment(), ElementsAre(TopicPartition{"t", 0}, TopicPartition{"t", 1}));
  });
  EXPECT_THAT(coordinator.assigned["member-2"], ElementsAre(TopicPartition{"t", 2}, TopicPartition{"u", 0}));
}

TEST(GroupMembership, AFollowerAssignsNothingAndTakesWhatItIsGiven) {
  Coordinator coordinator;
  coordinator.leader = "member-9";
  coordinator.given = {{"t", 2}};
  as_member(coordinator, [](GroupMembership& member) -> task<void> {
    EXPECT_TRUE(co_await member.join());
    EXPECT_THAT(member.assignment(), ElementsAre(TopicPartition{"t", 2}));
  });
  EXPECT_THAT(coordinator.assigned, IsEmpty());
}

TEST(GroupMembership, LooksForACoordinatorThatHasMovedAndWaitsForOneThatLoads) {
  Coordinator coordinator;
  coordinator.join_refusals = {ErrorCode::not_coordinator, ErrorCode::coordinator_load_in_progress};
  as_member(coordinator, [](GroupMembership& member) -> task<void> { EXPECT_TRUE(co_await member.join()); });
  EXPECT_EQ(coordinator.lookups, 3);
}

TEST(GroupMembership, ARebalanceBetweenJoiningAndSyncingMeansJoiningAgain) {
  Coordinator coordinator;
  coordinator.sync_refusals = {ErrorCode::rebalance_in_progress, ErrorCode::unknown_member_id};
  as_member(coordinator, [](GroupMembership& member) -> task<void> {
    EXPECT_TRUE(co_await member.join());
    EXPECT_EQ(member.generation(), 3);
  });
  EXPECT_THAT(coordinator.joins, ElementsAre("-", "member-1", "-"));  // who is unknown has no id any more
}

TEST(GroupMembership, ARefusalThatDoesNotPassEndsAJoinAtOnce) {
  Coordinator coordinator;
  coordinator.join_refusals = {ErrorCode::group_authorization_failed};
  as_member(coordinator, [](GroupMembership& member) -> task<void> {
    const auto joined = co_await member.join();
    EXPECT_FALSE(joined);
    EXPECT_EQ(joined.error().code, ErrorCode::group_authorization_failed);
    EXPECT_FALSE(member.has_joined());
  });
  EXPECT_EQ(coordinator.joins.size(), 1u);
}

TEST(GroupMembership, SendsAHeartbeatWhenOneIsDueAndNotBefore) {
  Coordinator coordinator;
  as_member(coordinator, [&coordinator](GroupMembership& member) -> task<void> {
    EXPECT_FALSE(*co_await member.keep_alive());  // has not joined
    EXPECT_TRUE(co_await member.join());
    EXPECT_TRUE(*co_await member.keep_alive());
    EXPECT_EQ(coordinator.heartbeats, 1);
  });
  Coordinator patient;
  as_member(patient, [](GroupMembership& member) -> task<void> {
    EXPECT_TRUE(co_await member.join());
    EXPECT_TRUE(*co_await member.keep_alive());
  }, {.group_id = "g", .topics = {"t"}, .heartbeat_interval_ms = 3'600'000});
  EXPECT_EQ(patient.heartbeats, 0);
}

// The id is kept where the coordinator still knows it, or the group would wait for a member that never comes back.
TEST(GroupMembership, AGenerationThatIsOverIsLeftForTheNext) {
  for (const auto& [code, next_id] : {std::pair(ErrorCode::rebalance_in_progress, "member-1"), std::pair(ErrorCode::illegal_generation, "member-1"),
                                      std::pair(ErrorCode::unknown_member_id, "-")}) {
    Coordinator coordinator;
    coordinator.heartbeat_refusals = {code};
    as_member(coordinator, [](GroupMembership& member) -> task<void> {
      EXPECT_TRUE(co_await member.join());
      EXPECT_FALSE(*co_await member.keep_alive());
      EXPECT_FALSE(member.has_joined());
      EXPECT_TRUE(co_await member.join());
      EXPECT_EQ(member.generation(), 2);
    });
    EXPECT_THAT(coordinator.joins, ElementsAre("-", next_id));
  }
}

TEST(GroupMembership, AMemberWhoseInstanceIdAnotherProcessHasDoesNotTakeItBack) {
  Coordinator coordinator;
  coordinator.heartbeat_refusals = {ErrorCode::fenced_instance_id};
  coordinator.join_refusals = {ErrorCode::none, ErrorCode::fenced_instance_id};
  as_member(coordinator, [](GroupMembership& member) -> task<void> {
    EXPECT_TRUE(co_await member.join());
    const auto kept = co_await member.keep_alive();
    EXPECT_FALSE(kept.has_value());
    EXPECT_EQ(kept.error().code, ErrorCode::fenced_instance_id);
    EXPECT_FALSE(co_await member.join());
  }, {.group_id = "g", .instance_id = "i", .topics = {"t"}, .heartbeat_interval_ms = 0});
  EXPECT_EQ(coordinator.joins.size(), 2u);
}

TEST(GroupMembership, LeavesOnceAndOnlyWhatItHasJoined) {
  Coordinator coordinator;
  as_member(coordinator, [](GroupMembership& member) -> task<void> {
    EXPECT_TRUE(co_await member.leave());
    EXPECT_TRUE(co_await member.join());
    EXPECT_TRUE(co_await member.leave());
    EXPECT_FALSE(member.has_joined());
    EXPECT_FALSE(*co_await member.keep_alive());
    EXPECT_TRUE(co_await member.leave());
  }, {.group_id = "g", .instance_id = "i", .topics = {"t"}, .heartbeat_interval_ms = 0});
  EXPECT_THAT(coordinator.leaves, ElementsAre("member-1 i"));
  EXPECT_EQ(coordinator.heartbeats, 0);
}

// Since version 3 the answer has a code of its own for each member (KIP-345).
TEST(GroupMembership, IsToldThatItCouldNotLeaveUnlessItIsOutAnyway) {
  for (const auto& [code, is_out] : {std::pair(ErrorCode::fenced_instance_id, false), std::pair(ErrorCode::unknown_member_id, true)}) {
    Coordinator coordinator;
    coordinator.refusal_of_leaving_member = code;
    as_member(coordinator, [is_out](GroupMembership& member) -> task<void> {
      EXPECT_TRUE(co_await member.join());
      EXPECT_EQ((co_await member.leave()).has_value(), is_out);
    });
  }
}

}  // namespace
}  // namespace moldau::client
