#include "base/metrics.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace moldau {
namespace {

TEST(Metrics, EveryDurationIsInTheBucketWhoseBoundsEncloseIt) {
  for (uint64_t us : {0ULL, 1ULL, 3ULL, 4ULL, 5ULL, 7ULL, 8ULL, 9ULL, 10ULL, 15ULL, 16ULL, 100ULL, 1000ULL,
                      4095ULL, 4096ULL, 1'000'000ULL, 100'000'000ULL}) {
    const int bucket = LatencyHistogram::bucket_of(us);
    EXPECT_LE(us, LatencyHistogram::upper_bound_us(bucket)) << us;
    if (bucket > 0) EXPECT_GT(us, LatencyHistogram::upper_bound_us(bucket - 1)) << us;
  }
  for (int bucket = 1; bucket < LatencyHistogram::bucket_count; ++bucket) {
    const uint64_t bound = LatencyHistogram::upper_bound_us(bucket);
    EXPECT_EQ(LatencyHistogram::bucket_of(bound), bucket);
    if (bucket + 1 < LatencyHistogram::bucket_count)
      EXPECT_EQ(LatencyHistogram::bucket_of(bound + 1), bucket + 1);
  }
  EXPECT_EQ(LatencyHistogram::bucket_of(UINT64_MAX), LatencyHistogram::bucket_count - 1);
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  MetricRegistry registry;
  Counter& produce = registry.counter("requests_total", "Requests.", {{"api", "Produce"}});
  produce.add(3);
  registry.counter("requests_total", "Requests.", {{"api", "Fetch"}}).add();
  EXPECT_EQ(&produce, &registry.counter("requests_total", "Requests.", {{"api", "Produce"}}));

  const auto families = registry.collect();
  ASSERT_EQ(families.size(), 1U);
  ASSERT_EQ(families[0].samples.size(), 2U);
  EXPECT_EQ(families[0].samples[0].value, 3);
  EXPECT_EQ(families[0].samples[1].value, 1);
}

TEST(Metrics, ARetiredSeriesIsForgottenAndBeginsAnewWhenItIsRegisteredAgain) {
  MetricRegistry registry;
  registry.gauge("size", "Bytes.", {{"topic", "s"}}).set(5);
  registry.gauge("size", "Bytes.", {{"topic", "t"}}).set(7);
  registry.gauge("size", "Bytes.", {{"topic", "u"}}).set(9);
  const auto topics = [&registry] {
    std::string names;
    for (const auto& family : registry.collect())
      for (const auto& sample : family.samples) names += sample.labels[0].second;
    return names;
  };
  registry.retire("size", {{"topic", "t"}});
  EXPECT_EQ(topics(), "su");
  EXPECT_EQ(registry.gauge("size", "Bytes.", {{"topic", "t"}}).value(), 0);
  EXPECT_EQ(topics(), "sut");
  registry.retire("size", {{"topic", "t"}});  // the last
  registry.retire("size", {{"topic", "s"}});  // the first
  registry.retire("size", {{"topic", "s"}});  // is not there
  EXPECT_EQ(topics(), "u");
  registry.retire("size", {{"topic", "u"}});  // the only one
  EXPECT_TRUE(registry.collect().empty());
  registry.gauge("size", "Bytes.", {{"topic", "v"}});
  EXPECT_EQ(topics(), "v");
}

TEST(Metrics, ARetiredSeriesIsFreedOnceNobodyCountsInIt) {
  MetricRegistry registry;
  std::shared_ptr<Counter> held = registry.shared_counter("c", "C.", {{"topic", "t"}});
  const std::weak_ptr<Counter> watched = held;
  held->add(2);
  registry.retire("c", {{"topic", "t"}});
  held->add(1);  // an append that was under way
  EXPECT_EQ(held->value(), 3U);
  EXPECT_TRUE(registry.collect().empty());
  held.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(Metrics, MergingSumsEqualLabelsAndKeepsTheOthers) {
  MetricRegistry one;
  MetricRegistry other;
  one.counter("c", "C.", {{"l", "a"}}).add(1);
  other.counter("c", "C.", {{"l", "a"}}).add(2);
  other.counter("c", "C.", {{"l", "b"}}).add(5);
  one.histogram("h", "H.").record_us(10);
  other.histogram("h", "H.").record_us(20);
  other.gauge("g", "G.").set(-4);

  auto all = one.collect();
  merge_metrics(all, other.collect());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].samples[0].value, 3);
  EXPECT_EQ(all[0].samples[1].value, 5);
  EXPECT_EQ(all[1].samples[0].sum_us, 30U);
  EXPECT_EQ(all[1].samples[0].buckets[static_cast<size_t>(LatencyHistogram::bucket_of(10))], 1U);
  EXPECT_EQ(all[2].samples[0].value, -4);
}

TEST(Metrics, AScrapeSeesWholeSeriesWhileTheOwnerRegistersMore) {
  MetricRegistry registry;
  std::jthread owner([&registry] {
    for (int i = 0; i < 2000; ++i) registry.counter("c", "C.", {{"i", std::to_string(i)}}).add(1);
  });
  size_t seen = 0;
  while (seen < 2000) {
    const auto families = registry.collect();
    if (families.empty()) continue;
    EXPECT_GE(families[0].samples.size(), seen);
    seen = families[0].samples.size();
    EXPECT_EQ(families[0].samples[seen - 1].labels[0].second, std::to_string(seen - 1));
  }
}

// The sanitizers' builds see a scrape that reads what was freed.
TEST(Metrics, AScrapeSeesWholeSeriesWhileTheOwnerRetiresOthers) {
  MetricRegistry registry;
  registry.counter("c", "C.", {{"i", "stays"}}).add(1);
  std::atomic<bool> is_over = false;
  std::jthread owner([&registry, &is_over] {
    for (int i = 0; i < 5000; ++i) {
      registry.counter("c", "C.", {{"i", std::to_string(i)}}).add(1);
      if (i >= 3) registry.retire("c", {{"i", std::to_string(i - 3)}});
    }
    is_over = true;
  });
  while (!is_over) {
    const auto families = registry.collect();
    ASSERT_EQ(families.size(), 1U);
    EXPECT_EQ(families[0].samples[0].labels[0].second, "stays");
  }
  owner.join();
  EXPECT_EQ(registry.collect()[0].samples.size(), 4U);
}

}  // namespace
}  // namespace moldau
