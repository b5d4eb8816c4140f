// The records of __consumer_offsets: made as Kafka 4.3 makes them, and taken apart again. A key begins with an int16 that
// names the record's type, a value with an int16 that is its version. docs/internals/groups.md tells the types.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "groups/classic_group.h"
#include "groups/coordinator_types.h"
#include "groups/offset_store.h"
#include "protocol/messages/group_metadata_value.h"

namespace moldau::groups {

// Version 4 of the value with the topic id, or version 1 if the client set a time of expiry, which only that one holds.
[[nodiscard]] CoordinatorRecord offset_record(const OffsetKey& key, const CommittedOffset& offset);
[[nodiscard]] CoordinatorRecord offset_tombstone(const OffsetKey& key);

// The group as it is, with these assignments by member id (missing: empty) in place of the members' own. Version 3.
[[nodiscard]] CoordinatorRecord group_record(const std::string& group_id, const ClassicGroup& group,
                                             const std::map<std::string, Bytes>& assignments);
// A group that has just been made: generation 0, nobody in it.
[[nodiscard]] CoordinatorRecord new_group_record(const std::string& group_id, const ClassicGroup& group);
[[nodiscard]] CoordinatorRecord group_tombstone(const std::string& group_id);

struct OffsetRecord {
  OffsetKey key;
  std::optional<CommittedOffset> offset;  // null: tombstone
};
struct ClassicGroupRecord {
  std::string group;
  std::optional<protocol::GroupMetadataValue> value;
};
// A record of a consumer, share or streams group. Only what the coordinator needs to know of such a group is read.
struct ForeignRecord {
  GroupType type = GroupType::consumer;
  int16_t record_type = 0;
  std::string group;
  std::string member;  // or what else stands second in the key
  std::optional<Bytes> value;
};
// Of a type that Kafka 4.3 does not know.
struct UnknownRecord {
  int16_t record_type = 0;
};
using ParsedRecord = std::variant<OffsetRecord, ClassicGroupRecord, ForeignRecord, UnknownRecord>;

// What is wrong with bytes that are no such record, for the log.
[[nodiscard]] result<ParsedRecord, std::string> parse_record(ByteView key, std::optional<ByteView> value);

}  // namespace moldau::groups
