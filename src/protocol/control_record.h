// The key of a record in a control batch: a version and a type, each int16. Values are generated messages:
// EndTxnMarker, LeaderChangeMessage, SnapshotHeaderRecord, SnapshotFooterRecord, KRaftVersionRecord, VotersRecord.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace moldau::protocol {

enum class ControlRecordType : int16_t {
  abort = 0,
  commit = 1,
  leader_change = 2,
  snapshot_header = 3,
  snapshot_footer = 4,
  kraft_version = 5,
  kraft_voters = 6,
  unknown = -1,  // of a later release: to be passed over
};

inline constexpr size_t control_key_bytes = 4;

// Null where the key is too short to be one. Longer keys, as of a later version, are read by their first four bytes.
[[nodiscard]] inline std::optional<ControlRecordType> control_record_type(ByteView key) {
  if (key.size() < control_key_bytes) return std::nullopt;
  const auto type = load_be<int16_t>(key.data() + 2);
  return type < 0 || type > 6 ? ControlRecordType::unknown : static_cast<ControlRecordType>(type);
}

// COMMIT, LEADER_CHANGE, ... as Kafka's tools print them.
[[nodiscard]] constexpr std::string_view control_record_name(ControlRecordType type) {
  switch (type) {
    case ControlRecordType::abort: return "ABORT";
    case ControlRecordType::commit: return "COMMIT";
    case ControlRecordType::leader_change: return "LEADER_CHANGE";
    case ControlRecordType::snapshot_header: return "SNAPSHOT_HEADER";
    case ControlRecordType::snapshot_footer: return "SNAPSHOT_FOOTER";
    case ControlRecordType::kraft_version: return "KRAFT_VERSION";
    case ControlRecordType::kraft_voters: return "KRAFT_VOTERS";
    case ControlRecordType::unknown: break;
  }
  return "UNKNOWN";
}

}  // namespace moldau::protocol
