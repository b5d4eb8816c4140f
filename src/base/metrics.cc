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
  Series* previous = nullptr;  // the owner's
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

struct ScrapeUnderWay {
  explicit ScrapeUnderWay(std::atomic<int>& in) : scrapes(in) { scrapes.fetch_add(1); }
  ~ScrapeUnderWay() { scrapes.fetch_sub(1); }
  ScrapeUnderWay(const ScrapeUnderWay&) = delete;
  ScrapeUnderWay& operator=(const ScrapeUnderWay&) = delete;
  std::atomic<int>& scrapes;
};

}  // namespace

MetricRegistry::MetricRegistry() = default;
MetricRegistry::~MetricRegistry() = default;

const std::shared_ptr<MetricRegistry::Series>& MetricRegistry::find_or_make(std::string_view name, std::string_view help,
                                                                            MetricKind kind, MetricLabels labels) {
  auto& slot = by_key_[key_of(name, labels)];
  if (slot) {
    MOLDAU_ASSERT_MSG(slot->kind == kind, "a metric has one kind");
    return slot;
  }
  slot = std::make_shared<Series>();
  slot->name = name;
  slot->help = help;
  slot->kind = kind;
  slot->labels = std::move(labels);
  if (kind == MetricKind::histogram) slot->histogram = std::make_unique<LatencyHistogram>();
  slot->previous = last_;
  // Whoever reaches the series through the list sees it whole.
  (last_ != nullptr ? last_->next : first_).store(slot.get());
  last_ = slot.get();
  return slot;
}

Counter& MetricRegistry::counter(std::string_view name, std::string_view help, MetricLabels labels) {
  return find_or_make(name, help, MetricKind::counter, std::move(labels))->counter;
}
Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, MetricLabels labels) {
  return find_or_make(name, help, MetricKind::gauge, std::move(labels))->gauge;
}
LatencyHistogram& MetricRegistry::histogram(std::string_view name, std::string_view help,
                                            MetricLabels labels) {
  return *find_or_make(name, help, MetricKind::histogram, std::move(labels))->histogram;
}
std::shared_ptr<Counter> MetricRegistry::shared_counter(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::shared_ptr<Series>& series = find_or_make(name, help, MetricKind::counter, std::move(labels));
  return {series, &series->counter};
}

void MetricRegistry::retire(std::string_view name, const MetricLabels& labels) {
  const auto found = by_key_.find(key_of(name, labels));
  if (found == by_key_.end()) return;
  unlink(*found->second);
  retired_.push_back(std::move(found->second));
  by_key_.erase(found);
  free_retired();
}

// A scrape that stands on the series goes on from it as before: its own `next` stays.
void MetricRegistry::unlink(Series& series) {
  Series* const next = series.next.load();
  (series.previous != nullptr ? series.previous->next : first_).store(next);
  (next != nullptr ? next->previous : last_) = series.previous;
}

// In the one order of all these operations, a scrape that began after this saw none walks the list as it is without
// the series; one that began before is seen, and they stay until the next time.
void MetricRegistry::free_retired() {
  if (scrapes_.load() == 0) retired_.clear();
}

std::vector<MetricFamily> MetricRegistry::collect() const {
  const ScrapeUnderWay counted(scrapes_);
  std::vector<MetricFamily> families;
  std::unordered_map<std::string_view, size_t> place;
  for (const Series* series = first_.load(); series != nullptr; series = series->next.load()) {
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
