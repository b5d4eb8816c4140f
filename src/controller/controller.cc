#include "controller/controller.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/mutant.h"
#include "controller/min_insync_rules.h"

namespace moldau::controller {

using metadata::MetadataRecords;
using protocol::ErrorCode;

namespace {
constexpr int32_t producer_id_block_size = 1000;
}  // namespace

Controller::Controller(ControllerOptions options, metadata::MetadataImagePtr start)
    : options_(std::move(options)), loader_(std::move(start)) {
  MOLDAU_ASSERT(options_.random_uuid && options_.random && options_.config.fixed != nullptr);
}

result<std::optional<metadata::PublishedMetadata>, std::string> Controller::replay(
    std::span<const metadata::MetadataRecord> records, Offset first_offset, LeaderEpoch epoch, int64_t timestamp_ms) {
  return loader_.load(records, first_offset, epoch, timestamp_ms);
}

MetadataRecords Controller::activate(const MetadataRecords& bootstrap) {
  MetadataRecords records;
  if (loader_.is_in_transaction()) {
    protocol::AbortTransactionRecord abort;
    abort.reason = "The controller that began it is gone.";
    records.push_back({std::move(abort), 0});
    return records;
  }
  if (!image()->features.empty()) return records;

  int16_t level = metadata::minimum_metadata_version;
  bool has_elr = false;
  for (const metadata::MetadataRecord& record : bootstrap) {
    const auto* feature = std::get_if<protocol::FeatureLevelRecord>(&record.message);
    if (feature == nullptr) continue;
    if (feature->name == metadata::metadata_version_feature) level = feature->feature_level;
    if (feature->name == metadata::eligible_leader_replicas_feature) has_elr = feature->feature_level > 0;
  }
  const metadata::MetadataVersion* version = metadata::find_metadata_version(level);
  const bool in_transaction = version != nullptr && version->has_transactions();
  if (in_transaction) {
    protocol::BeginTransactionRecord begin;
    begin.name = "Bootstrap records";
    records.push_back({std::move(begin), 0});
  }
  records.insert(records.end(), bootstrap.begin(), bootstrap.end());
  // Eligible leaders hang on min.insync.replicas, which must then be the same on every broker (KIP-966).
  if (has_elr) records.push_back(cluster_min_insync_record(options_.default_min_insync_replicas));
  if (in_transaction) records.push_back({protocol::EndTransactionRecord{}, 0});
  return records;
}

metadata::AlteredConfigs<protocol::AlterConfigsResponse> Controller::handle(
    const protocol::AlterConfigsRequest& request, const RequestContext&) {
  auto answer = metadata::alter_configs(request, options_.config, *image());
  add_elr_clearing(*image(), answer.records);
  return answer;
}

metadata::AlteredConfigs<protocol::IncrementalAlterConfigsResponse> Controller::handle(
    const protocol::IncrementalAlterConfigsRequest& request, const RequestContext&) {
  auto answer = metadata::incremental_alter_configs(request, options_.config, *image());
  add_elr_clearing(*image(), answer.records);
  return answer;
}

Answer<protocol::AllocateProducerIdsResponse> Controller::handle(const protocol::AllocateProducerIdsRequest& request,
                                                                 const RequestContext&) {
  Answer<protocol::AllocateProducerIdsResponse> answer;
  const metadata::Broker* broker = image()->find_broker(request.broker_id);
  if (broker == nullptr || broker->epoch != request.broker_epoch) {
    answer.response.error_code = static_cast<int16_t>(ErrorCode::stale_broker_epoch);
    return answer;
  }
  const int64_t first = std::max<int64_t>(image()->next_producer_id, 0);
  if (first > std::numeric_limits<int64_t>::max() - producer_id_block_size) {
    answer.response.error_code = static_cast<int16_t>(ErrorCode::unknown_server_error);
    return answer;
  }
  protocol::ProducerIdsRecord record;
  record.broker_id = request.broker_id;
  record.broker_epoch = request.broker_epoch;
  record.next_producer_id = first + (MOLDAU_MUTANT("producer-ids-given-again") ? 0 : producer_id_block_size);
  answer.records.push_back({std::move(record), 0});
  answer.response.producer_id_start = first;
  answer.response.producer_id_len = producer_id_block_size;
  return answer;
}

}  // namespace moldau::controller
