// HttpServer: the HTTP port (moldau.http.listener), on a thread of its own.
//
// It answers one request for each connection and closes it. A request has at most 8 KiB, ten seconds to
// arrive and ten for its answer to leave; beyond 64 connections new ones are closed at once. What it answers
// is http_answer.h's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "admin/metrics_source.h"
#include "base/result.h"

namespace moldau::admin {

class HttpServer {
 public:
  // Listens on host:port (port 0: any free one) and starts the thread; the error is a sentence. `source`
  // outlives the server.
  [[nodiscard]] static result<std::unique_ptr<HttpServer>, std::string> start(const std::string& host,
                                                                              uint16_t port,
                                                                              MetricsSource& source,
                                                                              std::string version);
  virtual ~HttpServer() = default;  // closes everything and ends the thread

  [[nodiscard]] virtual uint16_t port() const = 0;
};

}  // namespace moldau::admin
