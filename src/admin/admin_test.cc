#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/http_answer.h"
#include "admin/metrics_text.h"
#include "admin/process_metrics.h"

namespace moldau::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct FakeNode : MetricsSource {
  MetricRegistry registry;
  Readiness state{.is_ready = true};
  std::vector<MetricFamily> collect() override { return registry.collect(); }
  Readiness readiness() override { return state; }
};

TEST(MetricsText, CountersAndGaugesCarryHelpTypeAndEscapedLabels) {
  MetricRegistry registry;
  registry.counter("moldau_requests_total", "Requests by API.", {{"api", "Produce"}, {"client", "a\"b\\"}})
      .add(12);
  registry.gauge("moldau_lag", "Lag.").set(-1);
  const std::string text = metrics_text(registry.collect());
  EXPECT_THAT(
      text,
      HasSubstr("# HELP moldau_requests_total Requests by API.\n# TYPE moldau_requests_total counter\n"));
  EXPECT_THAT(text, HasSubstr("moldau_requests_total{api=\"Produce\",client=\"a\\\"b\\\\\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("moldau_lag -1\n"));
}

TEST(MetricsText, AHistogramIsCumulativeInSecondsAndEndsInInfinity) {
  MetricRegistry registry;
  auto& latency = registry.histogram("moldau_latency_seconds", "Latency.", {{"api", "Fetch"}});
  latency.record_us(5);
  latency.record_us(1000);
  latency.record_us(1'000'000'000);
  const std::string text = metrics_text(registry.collect());
  EXPECT_THAT(text, HasSubstr("moldau_latency_seconds_bucket{api=\"Fetch\",le=\"3.2e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("moldau_latency_seconds_bucket{api=\"Fetch\",le=\"0.001024\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("moldau_latency_seconds_bucket{api=\"Fetch\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("moldau_latency_seconds_count{api=\"Fetch\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("moldau_latency_seconds_sum{api=\"Fetch\"} 1000.001005\n"));
}

TEST(ProcessMetrics, TellMemoryFilesAndTheBuild) {
  const std::string text = metrics_text(process_metrics("9.8.7"));
  for (const char* name : {"process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total",
                           "process_start_time_seconds", "moldau_heap_bytes"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name + " "));
  }
  EXPECT_THAT(text, HasSubstr("moldau_build_info{version=\"9.8.7\""));
  for (const MetricFamily& family : process_metrics("1")) {
    if (family.name == "process_resident_memory_bytes") EXPECT_GT(family.samples[0].value, 1e6);
    if (family.name == "process_open_fds") EXPECT_GE(family.samples[0].value, 3);
    if (family.name == "process_start_time_seconds") EXPECT_GT(family.samples[0].value, 1.6e9);
  }
}

TEST(HttpAnswers, EachPathHasItsAnswer) {
  FakeNode node;
  node.registry.counter("moldau_x_total", "X.").add(1);
  EXPECT_EQ(answer_http("GET", "/health", node, "1").status, 200);
  EXPECT_EQ(answer_http("GET", "/ready", node, "1").status, 200);
  node.state = {.is_ready = false, .reason = "loading partition 3 of 9"};
  const HttpAnswer not_ready = answer_http("GET", "/ready?verbose", node, "1");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_THAT(not_ready.body, HasSubstr("loading partition 3 of 9"));
  EXPECT_EQ(answer_http("GET", "/health", node, "1").status, 200) << "a node that loads is healthy";
  EXPECT_THAT(answer_http("GET", "/metrics", node, "1").body, HasSubstr("moldau_x_total 1\n"));
  EXPECT_EQ(answer_http("GET", "/metricsx", node, "1").status, 404);
  EXPECT_EQ(answer_http("POST", "/metrics", node, "1").status, 405);
}

}  // namespace
}  // namespace moldau::admin
