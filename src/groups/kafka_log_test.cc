// A __consumer_offsets that Apache Kafka 4.3.1 wrote, and what Kafka's tools said of its groups: ours must say the same.

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file(std::string(MOLDAU_SOURCE_DIR) + "/tests/vectors/groups/" + name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

void replay_line(CoordinatorShard& shard, const std::string& line) {
  std::istringstream words(line);
  std::string kind, key, value;
  int64_t producer_id = -1;
  words >> kind >> producer_id >> key >> value;
  if (kind == "marker") return shard.replay_transaction_marker(producer_id, key == "commit");
  const Bytes key_bytes = from_hex(key);
  const Bytes value_bytes = value == "-" ? Bytes() : from_hex(value);
  EXPECT_TRUE(shard.replay(key_bytes, value == "-" ? std::optional<ByteView>() : std::optional<ByteView>(value_bytes),
                           producer_id))
      << line;
}

template <class Wanted>
Wanted ask(CoordinatorShard& shard, const Request& request, int16_t version) {
  auto output = shard.step({.token = 1, .version = version}, request, 0);
  return std::get<Wanted>(output.replies.at(0).response);
}

void add_group_lines(CoordinatorShard& shard, std::vector<std::string>& lines) {
  for (const auto& group : ask<ListGroupsResponse>(shard, ListGroupsRequest{}, 5).groups) {
    DescribeGroupsRequest request;
    request.groups = {group.group_id};
    const auto described = ask<DescribeGroupsResponse>(shard, request, 6).groups[0];
    const bool is_classic = group.group_type == "classic";
    lines.push_back(fmt::format("group {} {} {} '{}' '{}' {}", group.group_id, group.group_type, group.group_state,
                                group.protocol_type, described.protocol_data,
                                is_classic ? std::to_string(described.members.size()) : "-"));
    for (const auto& member : described.members) {
      lines.push_back(fmt::format("member {} {} {} {} {}", group.group_id, member.member_id,
                                  member.group_instance_id.value_or("-"), member.client_id, member.client_host));
    }
  }
}

TEST(KafkasLog, is_understood_as_kafka_does) {
  CoordinatorShard shard({}, [] { return 0; });
  const auto records = lines_of("consumer-offsets.txt");
  ASSERT_FALSE(records.empty());
  for (const std::string& line : records) replay_line(shard, line);
  (void)shard.finish_loading(0);

  std::vector<std::string> lines;
  add_group_lines(shard, lines);
  shard.for_each_offset([&](const std::string& group, const std::string& topic, int32_t partition,
                            const CommittedOffset& offset) {
    lines.push_back(fmt::format("offset {} {} {} {} {} '{}'", group, topic, partition, offset.offset,
                                offset.leader_epoch, offset.metadata));
  });
  auto expected = lines_of("consumer-offsets.expected.txt");
  // A group whose transaction is still open shows no offset of it, and says so to who asks for stable ones.
  std::erase_if(expected, [&](const std::string& line) {
    if (!line.starts_with("unstable ")) return false;
    EXPECT_NE(shard.durable_state().find("offset pending"), std::string::npos);
    return true;
  });
  std::ranges::sort(lines);
  std::ranges::sort(expected);
  EXPECT_EQ(lines, expected);
}

}  // namespace
}  // namespace moldau::groups
