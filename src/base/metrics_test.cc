#include "base/metrics.h"

#include <gtest/gtest.h>

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

TEST(Metrics, ARetiredSeriesIsHiddenUntilItIsRegisteredAgain) {
  MetricRegistry registry;
  registry.gauge("size", "Bytes.", {{"topic", "t"}}).set(7);
  registry.retire("size", {{"topic", "t"}});
  EXPECT_TRUE(registry.collect().empty());
  EXPECT_EQ(registry.gauge("size", "Bytes.", {{"topic", "t"}}).value(), 7);
  EXPECT_EQ(registry.collect().size(), 1U);
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

}  // namespace
}  // namespace moldau
