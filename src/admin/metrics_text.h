// Metric families as Prometheus's text format 0.0.4, by prometheus-cpp's serializer. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/metrics.h"

namespace moldau::admin {

// Histograms appear in seconds, with the bounds of every second bucket (two to each power of two) from 32 µs
// on; a name should end in _seconds. Families without samples are left out.
[[nodiscard]] std::string metrics_text(const std::vector<MetricFamily>& families);

}  // namespace moldau::admin
