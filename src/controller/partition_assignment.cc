#include "controller/partition_assignment.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "controller/replica_placement.h"

namespace moldau::controller {

using metadata::ApiError;
using metadata::MetadataImage;
using protocol::ErrorCode;

namespace {

bool is_cordoned(const metadata::Broker& broker, const Uuid& directory) {
  return broker.cordoned_log_dirs && std::ranges::find(*broker.cordoned_log_dirs, directory) !=
                                         broker.cordoned_log_dirs->end();
}

// A broker whose every directory is cordoned takes no new replicas (KIP-1066).
bool is_usable(const metadata::Broker& broker) {
  if (broker.in_controlled_shutdown) return false;
  return broker.log_dirs.empty() ||
         !std::ranges::all_of(broker.log_dirs, [&](const Uuid& directory) { return is_cordoned(broker, directory); });
}

}  // namespace

Uuid default_directory(const MetadataImage& image, int32_t broker) {
  if (!image.metadata_version().has_directory_assignment()) return metadata::migrating_directory;
  const metadata::Broker* found = image.find_broker(broker);
  if (found != nullptr && found->log_dirs.size() == 1) return found->log_dirs.front();
  return metadata::unassigned_directory;
}

std::optional<metadata::Partition> new_partition(const MetadataImage& image, int32_t index,
                                                 std::vector<int32_t> replicas) {
  metadata::Partition partition;
  partition.index = index;
  partition.replicas = std::move(replicas);
  for (const int32_t replica : partition.replicas) {
    partition.directories.push_back(default_directory(image, replica));
    if (image.is_active(replica)) partition.isr.push_back(replica);
  }
  if (partition.isr.empty()) return std::nullopt;
  partition.leader = partition.isr.front();
  partition.leader_epoch = 0;
  partition.partition_epoch = 0;
  return partition;
}

std::optional<ApiError> check_manual_assignment(const MetadataImage& image, const std::vector<int32_t>& replicas,
                                                std::optional<size_t> replication_factor) {
  const auto wrong = [](std::string message) {
    return ApiError{ErrorCode::invalid_replica_assignment, std::move(message)};
  };
  if (replicas.empty()) return wrong("The manual partition assignment includes an empty replica list.");
  std::vector<int32_t> sorted = replicas;
  std::ranges::sort(sorted);
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (image.find_broker(sorted[i]) == nullptr)
      return wrong(fmt::format("The manual partition assignment includes broker {}, but no such broker is registered.",
                               sorted[i]));
    if (i > 0 && sorted[i] == sorted[i - 1])
      return wrong(fmt::format("The manual partition assignment includes the broker {} more than once.", sorted[i]));
  }
  if (replication_factor && *replication_factor != sorted.size())
    return wrong(fmt::format("The manual partition assignment includes a partition with {} replica(s), but this is not "
                             "consistent with previous partitions, which have {} replica(s).",
                             sorted.size(), *replication_factor));
  return std::nullopt;
}

result<std::vector<metadata::Partition>, ApiError> placed_partitions(const MetadataImage& image, int32_t first_index,
                                                                     int32_t count, int16_t replication_factor,
                                                                     const std::function<uint64_t()>& random) {
  const auto cannot = [](std::string why) { return fail(ApiError{ErrorCode::invalid_replication_factor, std::move(why)}); };
  std::vector<UsableBroker> brokers;
  for (const auto& [id, broker] : image.brokers)
    if (is_usable(*broker)) brokers.push_back({id, broker->rack, broker->fenced});
  auto placed = place_replicas(brokers, count, replication_factor, random);
  if (!placed) return cannot(placed.error());

  std::vector<metadata::Partition> partitions;
  for (auto& replicas : *placed) {
    auto partition = new_partition(image, first_index + static_cast<int32_t>(partitions.size()), std::move(replicas));
    if (!partition) return cannot("All brokers are currently fenced or in controlled shutdown.");
    partitions.push_back(std::move(*partition));
  }
  return partitions;
}

}  // namespace moldau::controller
