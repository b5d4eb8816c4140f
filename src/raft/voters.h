// Who votes in the metadata quorum, and the control records in which that, the protocol's level and a change of leader
// are written (KIP-595, KIP-853). Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "protocol/messages/voters_record.h"

namespace moldau::raft {

struct VoterEndpoint {
  std::string name;  // of the controller's listener
  std::string host;
  uint16_t port = 0;
  friend bool operator==(const VoterEndpoint&, const VoterEndpoint&) = default;
};

struct Voter {
  int32_t id = -1;
  Uuid directory_id;  // zero where it is not known (static voters)
  std::vector<VoterEndpoint> endpoints;
  friend bool operator==(const Voter&, const Voter&) = default;
};

[[nodiscard]] protocol::VotersRecord voters_record(const std::vector<Voter>& voters);
[[nodiscard]] std::vector<Voter> voters_of(const protocol::VotersRecord& record);

}  // namespace moldau::raft
