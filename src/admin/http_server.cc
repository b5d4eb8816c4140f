#include "admin/http_server.h"

#include <fmt/core.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "admin/http_answer.h"
#include "base/log.h"

namespace moldau::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr uint32_t request_max_bytes = 8 * 1024;
constexpr int connections_max = 64;
constexpr std::chrono::seconds step_timeout{10};

struct Shared {
  MetricsSource& source;
  std::string version;
  int connections = 0;
};

// One connection; kept alive by the operation under way.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    ++shared_.connections;
  }
  ~Session() { --shared_.connections; }

  void start() {
    parser_.header_limit(request_max_bytes);
    parser_.body_limit(request_max_bytes);
    stream_.expires_after(step_timeout);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](beast::error_code error, size_t) { self->answer(error); });
  }

 private:
  void answer(beast::error_code error) {
    HttpAnswer answer;
    bool is_head = false;
    if (error) {
      const bool is_too_large = error == http::error::header_limit || error == http::error::body_limit ||
                                error == http::error::buffer_overflow;
      const bool is_from_parser = error.category() == make_error_code(http::error::bad_method).category();
      if (!is_from_parser || error == http::error::end_of_stream)
        return;  // the peer has gone, or was too slow
      answer = is_too_large ? HttpAnswer{.status = 431, .body = "The request is too large.\n"}
                            : HttpAnswer{.status = 400, .body = "This is not an HTTP request.\n"};
    } else {
      const auto& request = parser_.get();
      is_head = request.method() == http::verb::head;
      answer = answer_http(std::string(request.method_string()), std::string(request.target()),
                           shared_.source, shared_.version);
    }
    response_.result(static_cast<http::status>(answer.status));
    response_.version(11);
    response_.set(http::field::content_type, answer.content_type);
    response_.set(http::field::cache_control, "no-store");
    if (answer.status == 405) response_.set(http::field::allow, "GET, HEAD");
    response_.keep_alive(false);
    response_.content_length(answer.body.size());
    if (!is_head) response_.body() = std::move(answer.body);
    serializer_.emplace(response_);
    stream_.expires_after(step_timeout);
    const auto done = [self = shared_from_this()](beast::error_code, size_t) {
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    };
    http::async_write(stream_, *serializer_, done);
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_{2 * request_max_bytes};
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
};

class BeastServer final : public HttpServer {
 public:
  BeastServer(MetricsSource& source, std::string version)
      : shared_{.source = source, .version = std::move(version)}, acceptor_(context_) {}

  ~BeastServer() override {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  std::optional<std::string> listen(const std::string& host, uint16_t port) {
    beast::error_code error;
    tcp::resolver resolver(context_);
    const auto found = resolver.resolve(host.empty() ? "0.0.0.0" : host, std::to_string(port), error);
    const tcp::endpoint endpoint = error || found.empty() ? tcp::endpoint{} : found.begin()->endpoint();
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return fmt::format(
          "cannot open the HTTP port {}:{}: {}. Set moldau.http.listener to a free address, or leave it "
          "empty",
          host, port, error.message());
    }
    port_ = acceptor_.local_endpoint(error).port();
    accept();
    thread_ = std::thread([this] { context_.run(); });
    return std::nullopt;
  }

  uint16_t port() const override { return port_; }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) {
        // Out of descriptors, as a rule: taking the next at once would spin.
        retry_.expires_after(std::chrono::milliseconds(100));
        retry_.async_wait([this](beast::error_code cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      if (shared_.connections < connections_max)
        std::make_shared<Session>(std::move(socket), shared_)->start();
      accept();
    });
  }

  Shared shared_;  // outlives the sessions, which the context holds
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer retry_{context_};
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace

result<std::unique_ptr<HttpServer>, std::string> HttpServer::start(const std::string& host, uint16_t port,
                                                                   MetricsSource& source,
                                                                   std::string version) {
  auto server = std::make_unique<BeastServer>(source, std::move(version));
  if (auto error = server->listen(host, port)) return fail(std::move(*error));
  log_info("HTTP on {}:{}: /health, /ready, /metrics", host, server->port());
  return server;
}

}  // namespace moldau::admin
