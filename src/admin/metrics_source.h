// What the HTTP port asks the node for. The node implements it; a scrape calls it on the HTTP thread, so an
// implementation reads its shards' registries (which allow that) and asks the shards for the rest, with a
// limit on how long it waits.
#pragma once

#include <string>
#include <vector>

#include "base/metrics.h"

namespace moldau::admin {

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;

  // Every family of the node, each name once.
  [[nodiscard]] virtual std::vector<MetricFamily> collect() = 0;

  // Whether the node serves clients, and if not, why ("loading partition 12 of 40").
  struct Readiness {
    bool is_ready = false;
    std::string reason;
  };
  [[nodiscard]] virtual Readiness readiness() = 0;
};

}  // namespace moldau::admin
