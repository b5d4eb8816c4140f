#include "admin/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>

namespace moldau::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct FakeNode : MetricsSource {
  std::vector<MetricFamily> collect() override {
    return {{"moldau_x_total", "X.", MetricKind::counter, {MetricSample{.value = 4}}}};
  }
  Readiness readiness() override { return {.is_ready = true}; }
};

// Everything the server says to `request` until it closes.
std::string talk(uint16_t port, const std::string& request) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket(context);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  boost::system::error_code error;
  boost::asio::write(socket, boost::asio::buffer(request), error);
  std::string answer;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
  return answer;
}

class HttpServerTest : public ::testing::Test {
 protected:
  FakeNode node;
  std::unique_ptr<HttpServer> server = *HttpServer::start("127.0.0.1", 0, node, "1.2.3");
};

TEST_F(HttpServerTest, ServesMetricsAndCloses) {
  const std::string answer = talk(server->port(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("moldau_x_total 4\n"));
}

TEST_F(HttpServerTest, HeadHasALengthAndNoBody) {
  const std::string answer = talk(server->port(), "HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttpOrTooLarge) {
  EXPECT_THAT(talk(server->port(), std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10)),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(talk(server->port(), "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 4"));
  EXPECT_THAT(talk(server->port(), "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200 "))
      << "still serves";
}

TEST_F(HttpServerTest, SaysWhatToDoWhenThePortIsTaken) {
  const auto second = HttpServer::start("127.0.0.1", server->port(), node, "1");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("moldau.http.listener"));
}

}  // namespace
}  // namespace moldau::admin
