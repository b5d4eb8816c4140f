// Random clients against a naive model: what was acknowledged is there, what failed is not, and a restart at any moment
// finds what the log says. Every failure names its seed.

#include <map>
#include <random>
#include <sstream>
#include <tuple>

#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

using Place = std::tuple<std::string, std::string, int32_t>;  // group, topic, partition

class Story {
 public:
  explicit Story(uint32_t seed) : random_(seed), world_(config()) {
    for (int i = 0; i < 12; ++i) {
      Member& member = clients_.emplace_back(Member{world_});
      member.group = "group-" + std::to_string(pick(4));
      member.session_timeout_ms = 6'000 + 1'000 * pick(10);
      member.rebalance_timeout_ms = 10'000 + 5'000 * pick(5);
      member.join_version = static_cast<int16_t>(pick(10));
      if (pick(3) == 0 && member.join_version >= 5) member.instance_id = "instance-" + std::to_string(pick(4));
      member.protocols = {{"range", subscription({"t"})}, {"sticky", subscription({"t", "u"})}};
      if (pick(2) == 0) std::swap(member.protocols[0], member.protocols[1]);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      step();
      check_offsets();
    }
    world_.release();
    note_commits();
    check_restart();
  }

 private:
  static GroupConfig config() { return {.initial_rebalance_delay_ms = 500, .offsets_retention_ms = 1'000'000'000'000}; }
  int pick(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }

  void step() {
    Member& client = clients_[static_cast<std::size_t>(pick(static_cast<int>(clients_.size())))];
    switch (pick(13)) {
      case 0:
      case 1: start_join(client); break;
      case 2: sync(client); break;
      case 3: client.heartbeat(); break;
      case 4:
        if (pick(3) == 0 && !client.id.empty()) leave(client);
        break;
      case 5:
      case 6:
      case 7: commit(client); break;
      case 8: delete_group(); break;
      case 9: world_.advance(pick(2'500)); break;
      case 10: world_.hold(); break;
      case 11: settle_one(); break;
      case 12:
        if (pick(4) == 0) restart();
        break;
    }
    collect();
  }

  void start_join(Member& client) {
    if (pick(10) == 0) client.id.clear();
    client.join();
    joining_[client.waiting] = &client;
  }
  void sync(Member& client) {
    if (client.generation < 0) return;
    client.sync();
  }
  void leave(Member& client) {
    LeaveGroupRequest request;
    request.group_id = client.group;
    request.members.emplace_back().member_id = client.id;
    world_.send(request, 5);
    client.id.clear();
    client.generation = -1;
  }
  // Takes generations out of answered joins.
  void collect() {
    std::erase_if(joining_, [&](const auto& one) {
      if (!world_.answered(one.first)) return false;
      const auto response = world_.answer<JoinGroupResponse>(one.first);
      if (response.error_code != 0) {
        if (response.error_code == code(ErrorCode::unknown_member_id)) one.second->id.clear();
        return true;
      }
      one.second->id = response.member_id;
      one.second->generation = response.generation_id;
      one.second->leader = response.leader;
      one.second->seen_members.clear();
      for (const auto& member : response.members) one.second->seen_members.push_back(member.member_id);
      return true;
    });
    note_commits();
  }

  void commit(Member& client) {
    const Place place{client.group, pick(2) == 0 ? "t" : "u", pick(3)};
    const int64_t offset = ++next_offset_;
    auto request = client.commit_request(std::get<1>(place), std::get<2>(place), offset);
    if (pick(2) == 0) {  // as an administrator
      request.member_id.clear();
      request.group_instance_id.reset();
      request.generation_id_or_member_epoch = -1;
    }
    commits_.emplace_back(world_.send(request, 9), place, offset);
    note_commits();
  }
  // Commits are acknowledged in the order in which they were asked for.
  void note_commits() {
    std::erase_if(commits_, [&](const auto& one) {
      const auto& [token, place, offset] = one;
      if (!world_.answered(token)) return false;
      const auto error = world_.answer<OffsetCommitResponse>(token).topics[0].partitions[0].error_code;
      if (error == 0) acknowledged_[place] = offset;
      return true;
    });
    std::erase_if(deletions_, [&](const auto& one) {
      if (!world_.answered(one.first)) return false;
      const auto response = world_.answer<protocol::DeleteGroupsResponse>(one.first);
      if (response.results[0].error_code == 0) {
        std::erase_if(acknowledged_, [&](const auto& offset) { return std::get<0>(offset.first) == one.second; });
      }
      return true;
    });
  }
  void delete_group() {
    if (pick(4) != 0 || !commits_.empty()) return;  // a deletion between unanswered commits: covered by a test of its own
    protocol::DeleteGroupsRequest request;
    request.groups_names = {"group-" + std::to_string(pick(4))};
    deletions_.emplace_back(world_.send(request, 2), request.groups_names[0]);
    note_commits();
    if (!deletions_.empty()) {
      world_.release();
      note_commits();
    }
  }
  void settle_one() {
    if (world_.held() == 0) return;
    if (may_fail_ && pick(4) == 0) {
      stores_failed_ = true;
      world_.fail(pick(2) == 0 ? ErrorCode::not_enough_replicas : ErrorCode::kafka_storage_error);
    } else if (pick(4) == 0) {
      world_.release();
    } else {
      world_.commit();
    }
  }
  // A kill: appends that are held were never written.
  void restart() {
    world_.release_hold_without_writing();
    commits_.clear();
    deletions_.clear();
    joining_.clear();
    world_.restart();
    check_offsets();
  }

  // Plain readers see exactly what was acknowledged.
  void check_offsets() {
    std::map<Place, int64_t> seen;
    world_.shard().for_each_offset([&](const std::string& group, const std::string& topic, int32_t partition,
                                       const CommittedOffset& offset) { seen[{group, topic, partition}] = offset.offset; });
    EXPECT_EQ(seen, acknowledged_);
  }

  void check_restart() {
    CoordinatorShard fresh(config(), [] { return 0; });
    for (const LoggedRecord& record : world_.log) TestWorld::replay_into(fresh, record);
    // A group in a rebalance has stored the generation before; all others must be the same to the last byte. Where
    // storing a group failed, Kafka's memory and ours is ahead of the log: there only offsets can be compared.
    const auto lines = [&](const std::string& text) {
      std::map<std::string, std::string> by_group;
      std::istringstream in(text);
      for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string kind, group;
        words >> kind >> group;
        if (kind == "group" && stores_failed_) continue;
        if (kind == "offset") words >> group >> group;
        by_group[group] += line + "\n";
      }
      return by_group;
    };
    auto live = lines(world_.shard().durable_state()), restarted = lines(fresh.durable_state());
    for (const auto& [group, text] : live) {
      if (text.find(" rebalancing") != std::string::npos) continue;
      EXPECT_EQ(text, restarted[group]);
    }
  }

  std::mt19937 random_;
  TestWorld world_;
  std::deque<Member> clients_;
  std::map<Place, int64_t> acknowledged_;
  std::vector<std::tuple<ReplyToken, Place, int64_t>> commits_;
  std::vector<std::pair<ReplyToken, std::string>> deletions_;
  std::map<ReplyToken, Member*> joining_;
  int64_t next_offset_ = 0;
  bool may_fail_ = random_() % 2 == 0;
  bool stores_failed_ = false;
};

class CoordinatorModel : public ::testing::TestWithParam<uint32_t> {};

TEST_P(CoordinatorModel, acknowledged_offsets_are_there_and_a_restart_finds_the_same) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Story(GetParam()).run(600);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CoordinatorModel, ::testing::Range(1u, 101u));

}  // namespace
}  // namespace moldau::groups
