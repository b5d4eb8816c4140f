// The state of a shard that a restart would find, as text: what replaying the log must give again.

#include <fmt/format.h>

#include "base/crc32c.h"
#include "groups/coordinator_shard.h"
#include "groups/shard_state.h"

namespace moldau::groups {
namespace {

std::string text_of(const std::optional<std::string>& text) { return text ? "'" + *text + "'" : "none"; }

std::string line_of(const std::string& id, const ClassicGroup& group) {
  if (group.state != ClassicState::empty && group.state != ClassicState::stable) {
    return fmt::format("group {} rebalancing\n", id);
  }
  // A stable group's time of becoming so is not written; an empty one's is, for the expiry of offsets.
  std::string line = fmt::format("group {} classic {} generation {} type {} protocol {} leader {} since {}\n", id,
                                 state_name(group.state), group.generation, text_of(group.protocol_type),
                                 text_of(group.protocol_name), text_of(group.leader),
                                 group.state == ClassicState::empty ? group.state_timestamp_ms.value_or(-1) : 0);
  for (const auto& [member_id, member] : group.members) {
    const Bytes* metadata = group.protocol_name ? member.metadata(*group.protocol_name) : nullptr;
    line += fmt::format("group {} member {} instance {} client {} {} timeouts {} {} subscription {:08x} assignment {:08x}\n",
                        id, member_id, text_of(member.instance_id), member.client_id, member.client_host,
                        member.session_timeout_ms, member.rebalance_timeout_ms,
                        metadata == nullptr ? 0 : crc32c(*metadata), crc32c(member.assignment));
  }
  return line;
}

std::string line_of(const std::string& group, const std::string& topic, int32_t partition,
                    const CommittedOffset& offset, std::string_view kind) {
  return fmt::format("offset {} {} {} {} {} epoch {} '{}' at {} until {} topic {}\n", kind, group, topic, partition,
                     offset.offset, offset.leader_epoch, offset.metadata, offset.commit_timestamp_ms,
                     offset.expire_timestamp_ms, offset.topic_id);
}

}  // namespace

std::string CoordinatorShard::durable_state() const {
  std::string text;
  for (const auto& [id, group] : state_->groups) {
    if (group->created_by != 0) continue;
    if (const auto* classic = std::get_if<ClassicGroup>(&group->kind)) {
      text += line_of(id, *classic);
    } else {
      const auto& foreign = std::get<ForeignGroup>(group->kind);
      text += fmt::format("group {} {} {} records {}\n", id, type_name(foreign.type), state_name(foreign),
                          foreign.keys.size());
    }
  }
  for_each_offset([&](const std::string& group, const std::string& topic, int32_t partition,
                      const CommittedOffset& offset) { text += line_of(group, topic, partition, offset, "committed"); });
  for (const auto& [producer_id, offsets] : state_->offsets.pending()) {
    for (const auto& [key, offset] : offsets) {
      text += line_of(key.group, key.topic, key.partition, offset, fmt::format("pending({})", producer_id));
    }
  }
  return text;
}

}  // namespace moldau::groups
