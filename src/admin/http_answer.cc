#include "admin/http_answer.h"

#include "admin/metrics_text.h"
#include "admin/process_metrics.h"

namespace moldau::admin {

HttpAnswer answer_http(std::string_view method, std::string_view target, MetricsSource& source,
                       std::string_view version) {
  if (method != "GET" && method != "HEAD")
    return {.status = 405, .body = "Only GET and HEAD are answered here.\n"};
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/health") return {.body = "ok\n"};
  if (path == "/ready") {
    const MetricsSource::Readiness readiness = source.readiness();
    if (readiness.is_ready) return {.body = "ready\n"};
    return {.status = 503, .body = "not ready: " + readiness.reason + "\n"};
  }
  if (path == "/metrics") {
    std::vector<MetricFamily> families = source.collect();
    merge_metrics(families, process_metrics(version));
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text(families)};
  }
  return {.status = 404, .body = "Nothing here. There are /health, /ready and /metrics.\n"};
}

}  // namespace moldau::admin
