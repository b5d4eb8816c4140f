// The checkpoints beside the partitions' directories: gathered from all shards, written where something has changed.
#include <array>

#include "base/log.h"
#include "broker/directory_set.h"
#include "broker/gather.h"
#include "broker/partition.h"
#include "broker/replica_mover.h"

namespace moldau::broker {

using runtime::task;
using storage::PartitionOffset;

namespace {

using Offsets = std::vector<PartitionOffset>;

struct Checkpointed {
  Offsets recovery_points;
  Offsets log_starts;
  Offsets high_watermarks;
};
using ByDirectory = std::unordered_map<std::string, Checkpointed>;

void collect(const storage::Log& log, ByDirectory& into) {
  Checkpointed& entries = into[log.log_dir()];
  entries.recovery_points.push_back({log.topic(), log.partition(), log.recovery_point()});
  entries.high_watermarks.push_back({log.topic(), log.partition(), log.high_watermark()});
  const auto segments = log.segments();
  if (!segments.empty() && log.log_start_offset() > segments.front().base_offset)
    entries.log_starts.push_back({log.topic(), log.partition(), log.log_start_offset()});
}

// A log and its copy in another directory have the same name in the checkpoints of either, as in Kafka.
task<void> collect_all_of(BrokerShard& shard, ByDirectory& into) {
  for (const auto& [key, partition] : shard.partitions) collect(partition->log(), into);
  for (const auto& move : shard.broker.mover->of(shard).moves()) collect(*move.future, into);
  return runtime::ready();
}

// A log that could not be opened is as it was found, and so is what the checkpoints say of it: without its log start, records
// that clients deleted would be there again once it can be opened.
void keep_unopened(const LogDir& directory, Checkpointed& entries) {
  for (const storage::FoundPartition& found : directory.files->found()) {
    const auto& [topic, partition, kind] = found.partition;
    if (kind != storage::PartitionDirectoryKind::live || directory.found.at(found.name).load() == LogDir::Found::opened) continue;
    const auto kept = directory.files->checkpointed(topic, partition);
    if (kept.recovery_point) entries.recovery_points.push_back({topic, partition, *kept.recovery_point});
    if (kept.log_start) entries.log_starts.push_back({topic, partition, *kept.log_start});
    if (kept.high_watermark) entries.high_watermarks.push_back({topic, partition, *kept.high_watermark});
  }
}

task<ByDirectory> collect_all(Broker& broker) {
  std::vector<ByDirectory> of_shard(broker.shards.size());
  co_await gather_all(broker, [&](BrokerShard& shard) { return collect_all_of(shard, of_shard[static_cast<size_t>(shard.shard.index())]); });
  static constexpr std::array lists = {&Checkpointed::recovery_points, &Checkpointed::log_starts, &Checkpointed::high_watermarks};
  ByDirectory all;
  for (ByDirectory& part : of_shard)
    for (auto& [path, entries] : part)
      for (const auto list : lists)
        (all[path].*list).insert((all[path].*list).end(), std::make_move_iterator((entries.*list).begin()),
                                 std::make_move_iterator((entries.*list).end()));
  for (const auto& directory : broker.directories->directories()) keep_unopened(*directory, all[directory->path()]);
  const auto by_name = [](const PartitionOffset& a, const PartitionOffset& b) {
    return std::tie(a.topic, a.partition) < std::tie(b.topic, b.partition);
  };
  for (auto& [path, entries] : all)
    for (const auto list : lists) std::ranges::sort(entries.*list, by_name);
  co_return all;
}

// Writes a checkpoint unless it stands on disk so already: an idle node leaves its disk alone.
template <class Write>
task<void> write_if_changed(storage::LogDirectory& directory, Offsets offsets, Offsets& written, Write write) {
  if (directory.is_offline() || offsets == written) co_return;
  const auto done = co_await (directory.*write)(offsets);
  if (done)
    written = std::move(offsets);
  else
    log_error("{}", done.error().message);
}

}  // namespace

task<void> DirectorySet::checkpoint_high_watermarks(Broker& broker) {
  const auto turn = co_await checkpointing_.lock();
  ByDirectory all = co_await collect_all(broker);
  for (const auto& directory : directories_)
    co_await write_if_changed(*directory->files, std::move(all[directory->path()].high_watermarks),
                              directory->written_high_watermarks, &storage::LogDirectory::write_high_watermarks);
}

task<void> DirectorySet::checkpoint_recovery_points(Broker& broker) {
  const auto turn = co_await checkpointing_.lock();
  ByDirectory all = co_await collect_all(broker);
  for (const auto& directory : directories_) {
    Checkpointed& entries = all[directory->path()];
    co_await write_if_changed(*directory->files, std::move(entries.recovery_points), directory->written_recovery_points,
                              &storage::LogDirectory::write_recovery_points);
    co_await write_if_changed(*directory->files, std::move(entries.log_starts), directory->written_log_starts,
                              &storage::LogDirectory::write_log_starts);
  }
}

}  // namespace moldau::broker
