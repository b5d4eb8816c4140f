// The quorum-state file: in which epoch this node stands and whom it voted for. It must be on disk before the node acts
// in an epoch. One line of JSON; version 1 belongs to kraft.version 1, version 0 (with static voters) to 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"

namespace moldau::raft {

struct QuorumState {
  int32_t leader_id = -1;
  int32_t leader_epoch = 0;
  int32_t voted_id = -1;
  Uuid voted_directory_id;               // version 1
  std::string cluster_id;                // version 0; Kafka leaves it empty
  int64_t applied_offset = 0;            // version 0; unused
  std::vector<int32_t> current_voters;   // version 0
  int16_t data_version = 1;

  friend bool operator==(const QuorumState&, const QuorumState&) = default;
};

inline constexpr std::string_view quorum_state_file_name = "quorum-state";

// The file's bytes, as Kafka writes them: no newline at the end.
[[nodiscard]] std::string write_quorum_state(const QuorumState& state);
// The error is a sentence.
[[nodiscard]] result<QuorumState, std::string> read_quorum_state(std::string_view text);

}  // namespace moldau::raft
