#include "broker/fetch_read.h"

#include "broker/partition.h"

namespace moldau::broker {

using protocol::ErrorCode;
using runtime::task;
using security::Operation;
using security::ResourceType;

namespace {

constexpr int16_t first_version_by_id = 13;

// An item, and where it is to be read.
struct Place {
  FetchItem* item = nullptr;
  FetchedPartition* result = nullptr;
  Uuid topic_id;
  size_t home = 0;
};

// Kafka's order of checks: topic, place, epoch (KIP-320), offset.
task<void> read_one(BrokerShard& shard, const Place& place, FetchTerms terms, uint64_t budget_bytes, bool at_least_one,
                    const std::shared_ptr<FetchWatch>& watch) {
  FetchedPartition& result = *place.result;
  const FetchItem& item = *place.item;
  Partition* partition = shard.find(place.topic_id, item.partition);
  if (partition == nullptr) {
    refuse(result, shard.absent_error({place.topic_id, item.partition}));
    co_return;
  }
  if (const ErrorCode fenced = partition->check_leader_epoch(item.current_leader_epoch); fenced != ErrorCode::none) {
    refuse(result, fenced);
    co_return;
  }
  if (watch) partition->add_watch(watch);
  const uint64_t limit_bytes = std::min<uint64_t>(budget_bytes, static_cast<uint64_t>(std::max(item.max_bytes, 0)));
  co_await partition->read(Offset(item.fetch_offset), item.last_fetched_epoch, terms.read_committed, limit_bytes, at_least_one,
                           result);
}

task<void> read_on(BrokerShard& shard, std::vector<Place>& places, FetchTerms terms, std::shared_ptr<FetchWatch> watch) {
  auto budget_bytes = static_cast<uint64_t>(std::max(terms.max_bytes, 0));
  bool has_data = false;
  for (const Place& place : places) {
    if (place.home != static_cast<size_t>(shard.shard.index())) continue;
    co_await read_one(shard, place, terms, budget_bytes, !has_data, watch);
    const uint64_t size_bytes = place.result->size_bytes;
    budget_bytes -= std::min(budget_bytes, size_bytes);
    has_data = has_data || size_bytes > 0;
  }
}

// Several shards read with the whole budget each: drops what exceeds it, in the order of the items.
void keep_within(std::vector<FetchedPartition>& results, int32_t max_bytes) {
  auto budget_bytes = static_cast<uint64_t>(std::max(max_bytes, 0));
  bool has_data = false;
  for (FetchedPartition& result : results) {
    if (result.size_bytes == 0) continue;
    if (has_data && result.size_bytes > budget_bytes) {
      result.ranges.clear();
      result.size_bytes = 0;
      result.answer.aborted_transactions.reset();
      continue;
    }
    budget_bytes -= std::min(budget_bytes, result.size_bytes);
    has_data = true;
  }
}

}  // namespace

void refuse(FetchedPartition& result, ErrorCode error) {
  result.answer.error_code = static_cast<int16_t>(error);
  result.answer.high_watermark = -1;
  result.answer.last_stable_offset = -1;
  result.answer.log_start_offset = -1;
  result.ends_wait = true;
}

task<std::vector<FetchedPartition>> read_partitions(Broker& broker, BrokerShard& here, const FetchContext& context,
                                                    const metadata::MetadataImage& image,
                                                    security::Gate<protocol::ApiKey::fetch> gate, FetchTerms terms,
                                                    std::shared_ptr<FetchWatch> watch) {
  std::vector<FetchedPartition> results(context.items.size());
  std::vector<Place> places;
  places.reserve(results.size());
  std::vector<bool> is_home(broker.shards.size(), false);
  size_t homes = 0;
  const bool by_id = terms.version >= first_version_by_id;
  for (size_t i = 0; i < results.size(); ++i) {
    FetchItem& item = *context.items[i];
    results[i].answer.partition_index = item.partition;
    const metadata::Topic* topic = by_id ? image.find_topic(item.topic_id) : image.find_topic(item.topic);
    if (topic == nullptr && by_id) {
      refuse(results[i], ErrorCode::unknown_topic_id);
      continue;
    }
    if (!gate.may<Operation::read, ResourceType::topic>(topic == nullptr ? item.topic : topic->name)) {
      refuse(results[i], ErrorCode::topic_authorization_failed);
      continue;
    }
    if (topic == nullptr || topic->find(item.partition) == nullptr) {
      refuse(results[i], ErrorCode::unknown_topic_or_partition);
      continue;
    }
    const auto home = static_cast<size_t>(broker.home_of(topic->id, item.partition).shard.index());
    results[i].topic_id = topic->id;
    if (!is_home[home]) ++homes;
    is_home[home] = true;
    places.push_back({.item = &item, .result = &results[i], .topic_id = topic->id, .home = home});
  }
  if (homes == 1 && is_home[static_cast<size_t>(here.shard.index())]) {
    co_await read_on(here, places, terms, std::move(watch));
    co_return results;
  }
  co_await gather(broker, [&](size_t shard) { return is_home[shard]; },
                  [&](BrokerShard& shard) { return read_on(shard, places, terms, watch); });
  if (homes > 1) keep_within(results, terms.max_bytes);
  co_return results;
}

}  // namespace moldau::broker
