// What a shard counts: plain counters, gauges and latency histograms, read by the scrape thread while they
// are written.
//
// Each shard owns one MetricRegistry and is its only writer: it registers metrics and changes them, with no
// lock and no read-modify-write instruction. `collect` may run on any other thread at the same time; it sees
// each number as it was at some moment, not all of them at one. A metric lives as long as its registry, or until
// it is retired: its topic is gone. What is better asked than counted (log sizes, lag) does not belong here:
// whoever answers a scrape builds MetricFamily values for it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace moldau {

// Only grows.
class Counter {
 public:
  void add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(int64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  [[nodiscard]] int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Durations in microseconds, in log-linear buckets: four to each power of two, so that a bucket is at most a
// quarter of its value wide. Anything above the last bound (about 134 s) is in the last bucket.
class LatencyHistogram {
 public:
  static constexpr int sub_buckets = 4;
  static constexpr int bucket_count = 104;

  void record_us(int64_t duration_us) {
    const auto us = static_cast<uint64_t>(duration_us < 0 ? 0 : duration_us);
    add(buckets_[static_cast<size_t>(bucket_of(us))], 1);
    add(sum_us_, us);
  }

  // The bucket that holds `us`, and the largest value of a bucket; the last bucket has no bound.
  [[nodiscard]] static constexpr int bucket_of(uint64_t us) {
    if (us < sub_buckets) return static_cast<int>(us);
    const int exponent = std::bit_width(us) - 1;  // at least 2
    const int bucket = (exponent - 1) * sub_buckets + static_cast<int>((us >> (exponent - 2)) & 3);
    return bucket < bucket_count ? bucket : bucket_count - 1;
  }
  [[nodiscard]] static constexpr uint64_t upper_bound_us(int bucket) {
    if (bucket < sub_buckets) return static_cast<uint64_t>(bucket);
    const int exponent = bucket / sub_buckets + 1;
    const auto sub = static_cast<uint64_t>(bucket % sub_buckets);
    return ((sub + 5) << (exponent - 2)) - 1;
  }

  [[nodiscard]] uint64_t bucket(int index) const {
    return buckets_[static_cast<size_t>(index)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

 private:
  static void add(std::atomic<uint64_t>& to, uint64_t n) {
    to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::array<std::atomic<uint64_t>, bucket_count> buckets_{};
  std::atomic<uint64_t> sum_us_{0};
};

enum class MetricKind : uint8_t { counter, gauge, histogram };

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// One series as read: `value` of a counter or gauge; the buckets (one count for each bucket of
// LatencyHistogram) and the sum of a histogram.
struct MetricSample {
  MetricLabels labels;
  double value = 0;
  std::vector<uint64_t> buckets;
  uint64_t sum_us = 0;
};

struct MetricFamily {
  std::string name;  // Prometheus's rules: moldau_requests_total, moldau_request_latency_seconds
  std::string help;  // one sentence
  MetricKind kind = MetricKind::counter;
  std::vector<MetricSample> samples;
};

class MetricRegistry {
 public:
  MetricRegistry();
  ~MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;

  // The metric of this name and these labels, made if it is new; keep the reference. A name has one kind:
  // asking for another is a programmer's error. Owner only.
  Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels = {});
  LatencyHistogram& histogram(std::string_view name, std::string_view help, MetricLabels labels = {});

  // The same for who may still count after it was retired. Owner only, but it may be dropped anywhere.
  [[nodiscard]] std::shared_ptr<Counter> shared_counter(std::string_view name, std::string_view help, MetricLabels labels);

  // Forgets a series: it is shown no more, and what `counter`, `gauge` or `histogram` gave is not to be used again.
  // Registered anew, it begins at 0. Owner only.
  void retire(std::string_view name, const MetricLabels& labels);

  // Every series that is not retired, by family in the order of registration. Any thread.
  [[nodiscard]] std::vector<MetricFamily> collect() const;

 private:
  struct Series;
  const std::shared_ptr<Series>& find_or_make(std::string_view name, std::string_view help, MetricKind kind, MetricLabels labels);
  void unlink(Series& series);
  void free_retired();

  std::unordered_map<std::string, std::shared_ptr<Series>> by_key_;  // the owner's
  Series* last_ = nullptr;                                           // the owner's
  std::vector<std::shared_ptr<Series>> retired_;                     // the owner's: out of the list, but a scrape may stand on them
  std::atomic<Series*> first_{nullptr};
  mutable std::atomic<int> scrapes_{0};  // under way
};

// Puts what several shards counted into one: samples of the same family and labels are summed.
void merge_metrics(std::vector<MetricFamily>& into, std::vector<MetricFamily> from);

}  // namespace moldau
