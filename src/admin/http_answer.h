// What the HTTP port answers to a path: /health, /ready and /metrics. Knows no sockets; called on the HTTP
// thread.
#pragma once

#include <string>
#include <string_view>

#include "admin/metrics_source.h"

namespace moldau::admin {

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// /health: 200 while the process runs. /ready: 200 when the node serves clients, else 503 and why. /metrics:
// everything. Anything else: 404 and the list of paths; 405 for methods but GET and HEAD. A query after `?`
// is ignored.
[[nodiscard]] HttpAnswer answer_http(std::string_view method, std::string_view target, MetricsSource& source,
                                     std::string_view version);

}  // namespace moldau::admin
