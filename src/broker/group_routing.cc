#include "broker/group_routing.h"

#include "broker/gather.h"
#include "broker/group_host.h"
#include "groups/coordinator_placement.h"

namespace moldau::broker {

using protocol::ErrorCode;
using runtime::task;
using Answer = result<groups::Response, ErrorCode>;

int32_t coordinator_partition_of(const metadata::MetadataImage& image, std::string_view group_id) {
  const metadata::Topic* topic = image.find_topic(offsets_topic_name);
  if (topic == nullptr || topic->partitions.empty()) return -1;
  return groups::coordinator_partition(group_id, static_cast<int32_t>(topic->partitions.size()));
}

static groups::Call call_of(const RequestContext& context) {
  return {.version = context.version, .client_id = context.client_id, .client_host = "/" + context.connection.peer.host};
}

static task<Answer> ask_on(BrokerShard& shard, int32_t partition, groups::Call call, groups::Request request) {
  const auto host = shard.groups.find(partition);
  if (host == shard.groups.end()) co_return fail(ErrorCode::not_coordinator);
  co_return co_await host->second->ask(std::move(call), std::move(request));
}

task<Answer> ask_coordinator(const RequestContext& context, security::Authorized access, groups::Request request) {
  MOLDAU_ASSERT(access.resource() == security::ResourceType::group);
  const metadata::MetadataImagePtr image = context.shard.image;
  const int32_t partition = coordinator_partition_of(*image, access.name());
  if (partition < 0) co_return fail(ErrorCode::not_coordinator);
  BrokerShard& home = context.broker.home_of(image->find_topic(offsets_topic_name)->id, partition);
  co_return co_await runtime::call_on(
      home.shard, [&home, partition, call = call_of(context), request = std::move(request)]() mutable {
        return ask_on(home, partition, std::move(call), std::move(request));
      });
}

task<std::vector<groups::Response>> ask_all_coordinators(const RequestContext& context, groups::Request request) {
  using Answers = std::vector<std::pair<int32_t, groups::Response>>;
  std::vector<Answers> of_shard(context.broker.shards.size());
  const auto ask = [&](BrokerShard& shard) -> task<void> {
    return [](BrokerShard& at, Answers& answers, groups::Call call, const groups::Request& asked) -> task<void> {
      std::vector<int32_t> partitions;
      for (const auto& [partition, host] : at.groups) partitions.push_back(partition);
      for (const int32_t partition : partitions) {
        auto answer = co_await ask_on(at, partition, call, asked);
        if (answer) answers.emplace_back(partition, std::move(*answer));
      }
    }(shard, of_shard[static_cast<size_t>(shard.shard.index())], call_of(context), request);
  };
  co_await gather_all(context.broker, ask);
  Answers all;
  for (Answers& answers : of_shard)
    all.insert(all.end(), std::make_move_iterator(answers.begin()), std::make_move_iterator(answers.end()));
  std::ranges::sort(all, {}, &Answers::value_type::first);
  std::vector<groups::Response> responses;
  for (auto& [partition, response] : all) responses.push_back(std::move(response));
  co_return responses;
}

}  // namespace moldau::broker
