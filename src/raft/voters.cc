#include "raft/voters.h"

namespace moldau::raft {

namespace {
constexpr int16_t lowest_kraft_version = 0;
constexpr int16_t highest_kraft_version = 1;
}  // namespace

protocol::VotersRecord voters_record(const std::vector<Voter>& voters) {
  protocol::VotersRecord record;
  for (const Voter& voter : voters) {
    protocol::VotersRecord::Voter one;
    one.voter_id = voter.id;
    one.voter_directory_id = voter.directory_id;
    for (const VoterEndpoint& endpoint : voter.endpoints)
      one.endpoints.push_back({endpoint.name, endpoint.host, endpoint.port, {}});
    one.kraft_version_feature.min_supported_version = lowest_kraft_version;
    one.kraft_version_feature.max_supported_version = highest_kraft_version;
    record.voters.push_back(std::move(one));
  }
  return record;
}

std::vector<Voter> voters_of(const protocol::VotersRecord& record) {
  std::vector<Voter> voters;
  for (const auto& one : record.voters) {
    Voter voter{one.voter_id, one.voter_directory_id, {}};
    for (const auto& endpoint : one.endpoints) voter.endpoints.push_back({endpoint.name, endpoint.host, endpoint.port});
    voters.push_back(std::move(voter));
  }
  return voters;
}

}  // namespace moldau::raft
