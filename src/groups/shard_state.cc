#include "groups/shard_state.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "base/log.h"
#include "groups/group_records.h"

namespace moldau::groups {

Group* find_group(ShardState& shard, std::string_view id) {
  const auto at = shard.groups.find(id);
  return at == shard.groups.end() ? nullptr : at->second.get();
}

ClassicGroup* as_classic(Group* group) { return group == nullptr ? nullptr : std::get_if<ClassicGroup>(&group->kind); }

ClassicGroup* find_classic(ShardState& shard, std::string_view id) { return as_classic(find_group(shard, id)); }

Group& create_classic(ShardState& shard, const std::string& id, std::optional<int64_t> now_ms) {
  auto made = std::make_unique<Group>();
  made->id = id;
  made->kind.emplace<ClassicGroup>().state_timestamp_ms = now_ms;
  auto [at, is_new] = shard.groups.emplace(id, std::move(made));
  MOLDAU_ASSERT(is_new);
  return *at->second;
}

void reply(Turn& turn, ReplyToken token, Response response) {
  turn.output.replies.push_back({token, std::move(response)});
}

void reply_when_settled(Turn& turn, const Call& call, Response response) {
  if (turn.shard.in_flight.empty()) return reply(turn, call.token, std::move(response));
  turn.shard.in_flight.back().replies.push_back({{call.token, std::move(response)}, call.version});
}

InFlight& append(Turn& turn, std::vector<CoordinatorRecord> records) {
  MOLDAU_ASSERT(!records.empty());
  ShardState& shard = turn.shard;
  InFlight& in_flight = shard.in_flight.emplace_back();
  in_flight.id = ++shard.last_append;
  for (const CoordinatorRecord& record : records) {
    const bool is_group_value = load_be<int16_t>(record.key.data()) == 2 && record.value;
    if (is_group_value) continue;
    const auto value = record.value ? std::optional<ByteView>(*record.value) : std::nullopt;
    const bool understood = apply_record(shard, record.key, value, -1, &in_flight);
    MOLDAU_ASSERT_MSG(understood, "the coordinator reads what it writes");
  }
  turn.output.appends.push_back({in_flight.id, std::move(records)});
  return in_flight;
}

std::string new_member_id(ShardState& shard, std::string_view prefix) {
  const uint64_t high = (shard.random() & ~uint64_t{0xF000}) | 0x4000;                      // a version 4 UUID
  const uint64_t low = (shard.random() & 0x3FFF'FFFF'FFFF'FFFF) | 0x8000'0000'0000'0000;
  return fmt::format("{}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", prefix, high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF,
                     low >> 48, low & 0xFFFF'FFFF'FFFF);
}

}  // namespace moldau::groups
