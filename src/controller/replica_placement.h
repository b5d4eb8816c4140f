// Which brokers get a new topic's replicas: striped over racks and within them over brokers, unfenced ones first, the
// first of each partition never a fenced one (Kafka's StripedReplicaPlacer). A pure function of the brokers and of the
// random numbers that choose where the stripes begin.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace moldau::controller {

struct UsableBroker {
  int32_t id = -1;
  std::optional<std::string> rack;
  bool fenced = false;
};

// One list of brokers for each partition. The error is a sentence and always INVALID_REPLICATION_FACTOR.
[[nodiscard]] result<std::vector<std::vector<int32_t>>, std::string> place_replicas(
    const std::vector<UsableBroker>& brokers, int32_t partitions, int16_t replication_factor,
    const std::function<uint64_t()>& random);

}  // namespace moldau::controller
