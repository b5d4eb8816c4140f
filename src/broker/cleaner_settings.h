// The log.cleaner.* keys as the cleaner goes by them; all but log.cleaner.enable may change while the node runs.
#pragma once

#include "broker/broker.h"
#include "metadata/image.h"
#include "storage/compaction/offset_map.h"

namespace moldau::broker {

struct CleanerSettings {
  int64_t workers = 1;                       // log.cleaner.threads
  uint64_t dedupe_buffer_bytes = 128U << 20; // log.cleaner.dedupe.buffer.size, of all workers
  double load_factor = 0.9;                  // log.cleaner.io.buffer.load.factor
  uint64_t io_buffer_bytes = 512U << 10;     // log.cleaner.io.buffer.size, of all workers, for reading and writing
  double io_max_bytes_per_second = 0;        // log.cleaner.io.max.bytes.per.second
  int64_t backoff_ms = 15'000;               // log.cleaner.backoff.ms

  // One worker's share.
  [[nodiscard]] storage::OffsetMapLimits map_limits() const;
  [[nodiscard]] uint32_t block_bytes() const;
  // What is read in one go, and then waited for if there is a limit.
  [[nodiscard]] uint64_t turn_bytes() const;
};

[[nodiscard]] CleanerSettings cleaner_settings(const Broker& broker, const metadata::MetadataImage& image);

}  // namespace moldau::broker
