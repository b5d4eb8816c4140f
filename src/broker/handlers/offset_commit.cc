// OffsetCommit: stores how far a group has read. Partitions that do not exist are answered here, the rest by the
// coordinator; the answer names all of them in the order of the request.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"
#include "groups/error_replies.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using security::Operation;
using security::ResourceType;

static constexpr int16_t first_version_by_id = 10;

runtime::task<Reply> handle_offset_commit(RequestContext& context, Gate<ApiKey::offset_commit> gate) {
  MOLDAU_DECODE(OffsetCommitRequest, request, context);
  const std::string group_id = request.group_id;
  const auto access = gate.may<Operation::read, ResourceType::group>(group_id);
  if (!access) {
    const groups::Response refused = groups::refuse(groups::Request(std::move(request)), context.version, ErrorCode::group_authorization_failed);
    co_return make_reply(context, std::get<OffsetCommitResponse>(refused));
  }
  const metadata::MetadataImagePtr image = context.shard.image;
  const bool by_id = context.version >= first_version_by_id;
  OffsetCommitResponse response;
  std::vector<OffsetCommitRequest::OffsetCommitRequestTopic> known;
  using Place = std::pair<size_t, size_t>;
  std::vector<std::vector<Place>> places;  // in `response`, of each partition in `known`
  for (auto& asked : request.topics) {
    const metadata::Topic* topic = by_id ? image->find_topic(asked.topic_id) : image->find_topic(asked.name);
    auto& answered = response.topics.emplace_back();
    answered.name = asked.name;
    answered.topic_id = asked.topic_id;
    const bool unknown_id = by_id && topic == nullptr;
    const bool may_read =
        unknown_id || gate.may<Operation::read, ResourceType::topic>(topic == nullptr ? asked.name : topic->name).has_value();
    OffsetCommitRequest::OffsetCommitRequestTopic passed_on;
    std::vector<Place> passed_places;
    for (auto& partition : asked.partitions) {
      auto& entry = answered.partitions.emplace_back();
      entry.partition_index = partition.partition_index;
      if (!may_read) {
        entry.error_code = static_cast<int16_t>(ErrorCode::topic_authorization_failed);
        continue;
      }
      if (topic == nullptr || topic->find(partition.partition_index) == nullptr) {
        entry.error_code = static_cast<int16_t>(unknown_id ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition);
        continue;
      }
      passed_places.emplace_back(response.topics.size() - 1, answered.partitions.size() - 1);
      passed_on.partitions.push_back(std::move(partition));
    }
    if (passed_on.partitions.empty()) continue;
    passed_on.name = topic->name;
    passed_on.topic_id = topic->id;
    known.push_back(std::move(passed_on));
    places.push_back(std::move(passed_places));
  }
  if (known.empty()) co_return make_reply(context, response);

  request.topics = std::move(known);
  auto answer = co_await ask_coordinator(context, *access, std::move(request));
  for (size_t i = 0; i < places.size(); ++i) {
    for (size_t j = 0; j < places[i].size(); ++j) {
      auto& entry = response.topics[places[i][j].first].partitions[places[i][j].second];
      entry.error_code = answer ? std::get<OffsetCommitResponse>(*answer).topics.at(i).partitions.at(j).error_code
                                : static_cast<int16_t>(answer.error());
    }
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
