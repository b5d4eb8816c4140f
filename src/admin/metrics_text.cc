#include "admin/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>

namespace moldau::admin {

namespace {

constexpr uint64_t finest_bound_us = 30;
constexpr double us_per_second = 1e6;

prometheus::ClientMetric::Histogram histogram_of(const MetricSample& sample) {
  prometheus::ClientMetric::Histogram histogram;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < sample.buckets.size(); ++i) {
    cumulative += sample.buckets[i];
    const bool is_last = i + 1 == sample.buckets.size();
    const uint64_t bound_us = LatencyHistogram::upper_bound_us(static_cast<int>(i));
    if (is_last || (i % 2 == 1 && bound_us >= finest_bound_us)) {
      // A bucket holds whole microseconds up to its bound, so the next one is a bound as true and rounder.
      const double bound = static_cast<double>(bound_us + 1) / us_per_second;
      histogram.bucket.push_back({cumulative, is_last ? std::numeric_limits<double>::infinity() : bound});
    }
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = static_cast<double>(sample.sum_us) / us_per_second;
  return histogram;
}

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return prometheus::MetricType::Counter;
    case MetricKind::gauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

std::string metrics_text(const std::vector<MetricFamily>& families) {
  std::vector<prometheus::MetricFamily> converted;
  converted.reserve(families.size());
  for (const MetricFamily& family : families) {
    if (family.samples.empty()) continue;
    auto& target = converted.emplace_back();
    target.name = family.name;
    target.help = family.help;
    target.type = type_of(family.kind);
    target.metric.reserve(family.samples.size());
    for (const MetricSample& sample : family.samples) {
      auto& metric = target.metric.emplace_back();
      for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
      switch (family.kind) {
        case MetricKind::counter:
          metric.counter.value = sample.value;
          break;
        case MetricKind::gauge:
          metric.gauge.value = sample.value;
          break;
        case MetricKind::histogram:
          metric.histogram = histogram_of(sample);
      }
    }
  }
  return prometheus::TextSerializer().Serialize(converted);
}

}  // namespace moldau::admin
