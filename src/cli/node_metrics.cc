#include "cli/node_metrics.h"

#include <chrono>
#include <future>

#include "admin/http_server.h"
#include "base/log.h"
#include "broker/broker_metrics.h"
#include "cli/version.h"

namespace moldau::cli {

namespace {

class NodeMetrics final : public admin::MetricsSource {
 public:
  explicit NodeMetrics(server::Node& node) : node_(node) {}

  std::vector<MetricFamily> collect() override {
    std::vector<MetricFamily> all;
    for (const auto& shard : node_.broker().shards) merge_metrics(all, shard->metrics.collect());
    merge_metrics(all, ask_shards());
    return all;
  }
  // What the shards must be asked for; nothing if they do not answer in time.
  std::vector<MetricFamily> ask_shards() {
    if (!node_.broker().ready) return {};
    auto answer = std::make_shared<std::promise<std::vector<MetricFamily>>>();
    auto given = answer->get_future();
    broker::Broker& broker = node_.broker();
    broker.first_shard().shard.post([&broker, answer] {
      if (broker.ready)  // else it began to stop since
        broker.background.spawn(answer_with(broker, answer));
      else
        answer->set_value({});
    });
    if (given.wait_for(std::chrono::seconds(2)) != std::future_status::ready) return {};
    return given.get();
  }

  Readiness readiness() override {
    if (node_.broker().ready) return {.is_ready = true};
    return {.reason = "the node is starting or stopping"};
  }

 private:
  static runtime::task<void> answer_with(broker::Broker& broker, std::shared_ptr<std::promise<std::vector<MetricFamily>>> answer) {
    answer->set_value(co_await broker::describe_broker(broker));
  }

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
