// The level of what the process logs, by Kafka's names: the resource BROKER_LOGGER, whose only logger here is "root"
// (KIP-412). Set on the quorum's shard, read on any. Nothing of it is stored: a new start begins at INFO.
#pragma once

#include <atomic>
#include <string_view>

namespace moldau::broker {

class LoggerLevel {
 public:
  // `name` is one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL. Takes effect at once, for the whole process.
  void set(std::string_view name);
  [[nodiscard]] std::string_view name() const;

 private:
  std::atomic<size_t> index_{2};  // of the names, in this order
};

}  // namespace moldau::broker
