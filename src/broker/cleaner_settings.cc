#include "broker/cleaner_settings.h"

#include <algorithm>

namespace moldau::broker {

storage::OffsetMapLimits CleanerSettings::map_limits() const {
  constexpr uint64_t most_of_a_worker = INT32_MAX;  // as in Kafka
  return {std::min(dedupe_buffer_bytes / static_cast<uint64_t>(workers), most_of_a_worker), load_factor};
}

uint32_t CleanerSettings::block_bytes() const {
  constexpr uint64_t least = 64U << 10;
  constexpr uint64_t most = 4U << 20;  // a block is worked on in one go
  return static_cast<uint32_t>(std::clamp(io_buffer_bytes / static_cast<uint64_t>(workers) / 2, least, most));
}

uint64_t CleanerSettings::turn_bytes() const {
  constexpr double most = 4U << 20;
  constexpr double turns_a_second = 4;
  const double rate = io_max_bytes_per_second;
  return static_cast<uint64_t>(rate > 0 ? std::min(rate / turns_a_second, most) : most);
}

CleanerSettings cleaner_settings(const Broker& broker, const metadata::MetadataImage& image) {
  const auto& for_all = image.find_configs(metadata::ResourceType::broker, "");
  const auto& for_this = image.find_configs(metadata::ResourceType::broker, std::to_string(broker.config.node_id.value()));
  const metadata::ConfigMap keys = metadata::effective_broker_config(broker.given_config, for_all, for_this);
  const auto real = [&keys](std::string_view key) { return std::get<double>(metadata::node_value(keys, key)); };
  CleanerSettings settings;
  settings.workers = std::max<int64_t>(metadata::node_integer(keys, "log.cleaner.threads"), 1);
  settings.dedupe_buffer_bytes = static_cast<uint64_t>(std::max<int64_t>(metadata::node_integer(keys, "log.cleaner.dedupe.buffer.size"), 0));
  settings.load_factor = real("log.cleaner.io.buffer.load.factor");
  settings.io_buffer_bytes = static_cast<uint64_t>(metadata::node_integer(keys, "log.cleaner.io.buffer.size"));
  settings.io_max_bytes_per_second = real("log.cleaner.io.max.bytes.per.second");
  settings.backoff_ms = metadata::node_integer(keys, "log.cleaner.backoff.ms");
  return settings;
}

}  // namespace moldau::broker
