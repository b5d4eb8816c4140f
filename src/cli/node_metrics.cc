#include "cli/node_metrics.h"

#include "admin/http_server.h"
#include "base/log.h"
#include "cli/version.h"

namespace moldau::cli {

namespace {

class NodeMetrics final : public admin::MetricsSource {
 public:
  explicit NodeMetrics(server::Node& node) : node_(node) {}

  std::vector<MetricFamily> collect() override {
    std::vector<MetricFamily> all;
    for (const auto& shard : node_.broker().shards) merge_metrics(all, shard->metrics.collect());
    return all;
  }
  Readiness readiness() override {
    if (node_.broker().ready) return {.is_ready = true};
    return {.reason = "the node is starting or stopping"};
  }

 private:
  server::Node& node_;
};

struct Http {
  std::unique_ptr<NodeMetrics> source;
  std::unique_ptr<admin::HttpServer> server;  // goes first
};

}  // namespace

std::shared_ptr<void> start_http(server::Node& node, const std::string& host, uint16_t port) {
  auto http = std::make_shared<Http>();
  http->source = std::make_unique<NodeMetrics>(node);
  auto server = admin::HttpServer::start(host, port, *http->source, std::string(version));
  if (!server) {
    log_warning("no HTTP port (moldau.http.listener): {}", server.error());
    return nullptr;
  }
  http->server = std::move(*server);
  return http;
}

}  // namespace moldau::cli
