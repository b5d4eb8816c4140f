// A group of a kind that this coordinator keeps but does not serve: consumer (KIP-848), share (KIP-932), streams
// (KIP-1071). Kafka wrote its records; they stay in the log, and this is what is known of it from them: enough to list
// it, to guard its offsets, and to hand an empty one over to classic members or delete it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "groups/coordinator_types.h"

namespace moldau::groups {

struct ForeignRecord;

struct ForeignMember {
  bool exists = false;  // has its metadata record
  int32_t epoch = 0;
  int8_t state = 0;     // 0: stable
};

struct ForeignGroup {
  GroupType type = GroupType::consumer;
  int32_t epoch = 0;
  int32_t target_epoch = 0;
  std::map<std::string, ForeignMember, std::less<>> members;
  std::set<Bytes> keys;  // of its live records
};

[[nodiscard]] std::string_view type_name(GroupType type);
// As Kafka names it in ListGroups.
[[nodiscard]] std::string_view state_name(const ForeignGroup& group);
[[nodiscard]] bool is_empty(const ForeignGroup& group);

// Takes in one of the group's records.
void apply(ForeignGroup& group, ByteView key, const ForeignRecord& record);

// The member's offset commit or fetch: none, UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, UNSUPPORTED_VERSION or, from a share
// group, GROUP_ID_NOT_FOUND.
[[nodiscard]] ErrorCode validate_commit(const ForeignGroup& group, std::string_view member_id, int32_t member_epoch,
                                        int16_t version);
[[nodiscard]] ErrorCode validate_fetch(const ForeignGroup& group, const std::optional<std::string>& member_id,
                                       int32_t member_epoch);

}  // namespace moldau::groups
