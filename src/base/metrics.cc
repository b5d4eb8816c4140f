#include "base/metrics.h"

#include <map>

#include "base/assert.h"

namespace moldau {

struct MetricRegistry::Series {
  std::string name;
  std::string help;
  MetricKind kind;
  MetricLabels labels;
  Counter counter;
  Gauge gauge;
  std::unique_ptr<LatencyHistogram> histogram;
  std::atomic<bool> retired{false};
  std::atomic<Series*> next{nullptr};
};

namespace {

std::string key_of(std::string_view name, const MetricLabels& labels) {
  std::string key(name);
  for (const auto& [label, value] : labels) {
    key += '\0';
    key += label;
    key += '\0';
    key += value;
  }
  return key;
}

}  // namespace

MetricRegistry::MetricRegistry() = default;
MetricRegistry::~MetricRegistry() = default;

MetricRegistry::Series& MetricRegistry::find_or_make(std::string_view name, std::string_view help,
                                                     MetricKind kind, MetricLabels labels) {
  auto& slot = by_key_[key_of(name, labels)];
  if (slot) {
    MOLDAU_ASSERT_MSG(slot->kind == kind, "a metric has one kind");
    slot->retired.store(false, std::memory_order_relaxed);
    return *slot;
  }
  slot = std::make_unique<Series>();
  slot->name = name;
  slot->help = help;
  slot->kind = kind;
  slot->labels = std::move(labels);
  if (kind == MetricKind::histogram) slot->histogram = std::make_unique<LatencyHistogram>();
  // Release: whoever reaches the series through the list sees it whole.
  (last_ != nullptr ? last_->next : first_).store(slot.get(), std::memory_order_release);
  last_ = slot.get();
  return *slot;
}

Counter& MetricRegistry::counter(std::string_view name, std::string_view help, MetricLabels labels) {
  return find_or_make(name, help, MetricKind::counter, std::move(labels)).counter;
}
Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, MetricLabels labels) {
  return find_or_make(name, help, MetricKind::gauge, std::move(labels)).gauge;
}
LatencyHistogram& MetricRegistry::histogram(std::string_view name, std::string_view help,
                                            MetricLabels labels) {
  return *find_or_make(name, help, MetricKind::histogram, std::move(labels)).histogram;
}

void MetricRegistry::retire(std::string_view name, const MetricLabels& labels) {
  const auto found = by_key_.find(key_of(name, labels));
  if (found != by_key_.end()) found->second->retired.store(true, std::memory_order_relaxed);
}

std::vector<MetricFamily> MetricRegistry::collect() const {
  std::vector<MetricFamily> families;
  std::unordered_map<std::string_view, size_t> place;
  for (const Series* series = first_.load(std::memory_order_acquire); series != nullptr;
       series = series->next.load(std::memory_order_acquire)) {
    if (series->retired.load(std::memory_order_relaxed)) continue;
    const auto [found, is_new] = place.try_emplace(series->name, families.size());
    if (is_new) families.push_back({series->name, series->help, series->kind, {}});
    MetricSample sample{.labels = series->labels};
    switch (series->kind) {
      case MetricKind::counter:
        sample.value = static_cast<double>(series->counter.value());
        break;
      case MetricKind::gauge:
        sample.value = static_cast<double>(series->gauge.value());
        break;
      case MetricKind::histogram:
        sample.sum_us = series->histogram->sum_us();
        sample.buckets.reserve(LatencyHistogram::bucket_count);
        for (int i = 0; i < LatencyHistogram::bucket_count; ++i)
          sample.buckets.push_back(series->histogram->bucket(i));
    }
    families[found->second].samples.push_back(std::move(sample));
  }
  return families;
}

void merge_metrics(std::vector<MetricFamily>& into, std::vector<MetricFamily> from) {
  std::unordered_map<std::string, size_t> families;
  for (size_t i = 0; i < into.size(); ++i) families.emplace(into[i].name, i);
  for (MetricFamily& family : from) {
    const auto [found, is_new] = families.try_emplace(family.name, into.size());
    if (is_new) {
      into.push_back(std::move(family));
      continue;
    }
    MetricFamily& target = into[found->second];
    std::map<MetricLabels, size_t> samples;
    for (size_t i = 0; i < target.samples.size(); ++i) samples.emplace(target.samples[i].labels, i);
    for (MetricSample& sample : family.samples) {
      const auto [place, is_new_sample] = samples.try_emplace(sample.labels, target.samples.size());
      if (is_new_sample) {
        target.samples.push_back(std::move(sample));
        continue;
      }
      MetricSample& sum = target.samples[place->second];
      sum.value += sample.value;
      sum.sum_us += sample.sum_us;
      if (sum.buckets.size() < sample.buckets.size()) sum.buckets.resize(sample.buckets.size());
      for (size_t i = 0; i < sample.buckets.size(); ++i) sum.buckets[i] += sample.buckets[i];
    }
  }
}

}  // namespace moldau
