#include "client/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/scripted_broker.h"
#include "protocol/messages/heartbeat_request.h"
#include "protocol/messages/heartbeat_response.h"
#include "protocol/messages/list_groups_request.h"
#include "protocol/messages/list_groups_response.h"

namespace moldau::client {
namespace {

using protocol::ApiKey;
using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;
using ::testing::HasSubstr;

HeartbeatRequest heartbeat(std::string group = "g") {
  HeartbeatRequest request;
  request.group_id = std::move(group);
  return request;
}

// Answers ApiVersions itself and hands everything else on.
ScriptedConnection::Handler after_handshake(ScriptedConnection::Handler next) {
  return [next = std::move(next)](ScriptedConnection& connection, const ScriptedRequest& request) {
    if (request.key == ApiKey::api_versions)
      connection.answer(request, all_api_versions());
    else
      next(connection, request);
  };
}

// Opens a connection to the script, gives it to `use`, and closes it.
using Use = std::function<task<void>(std::shared_ptr<BrokerConnection>)>;
task<void> with_connection(ScriptedEnvironment& environment, ConnectionOptions options, const Use& use) {
  runtime::Scope scope;
  auto opened = co_await BrokerConnection::open(environment, scope, {"script", 9092}, options);
  EXPECT_TRUE(opened) << (opened ? "" : opened.error().to_string());
  if (opened) {
    co_await use(*opened);
    (*opened)->close();
  }
  co_await scope.join();
}
void run(ScriptedConnection::Handler handler, ConnectionOptions options, Use use) {
  ScriptedEnvironment environment(std::move(handler));
  environment.run([&]() -> task<void> { return with_connection(environment, options, use); });
}

task<void> expect_version(std::shared_ptr<BrokerConnection> connection, ApiKey key, int16_t expected) {
  const auto version = connection->choose_version(key, {0, 100});
  EXPECT_EQ(version ? *version : -1, expected);
  co_return;
}

task<void> expect_refused(ScriptedEnvironment& environment, ConnectionOptions options, Error& error) {
  runtime::Scope scope;
  auto opened = co_await BrokerConnection::open(environment, scope, {"script", 9092}, options);
  EXPECT_FALSE(opened);
  if (!opened) error = opened.error();
  co_await scope.join();
}
Error refusal(ScriptedConnection::Handler handler, ConnectionOptions options = {}) {
  ScriptedEnvironment environment(std::move(handler));
  Error error;
  environment.run([&]() -> task<void> { return expect_refused(environment, options, error); });
  return error;
}

TEST(BrokerConnection, SaysWhatListensThereIfItIsNoBroker) {
  for (const auto& [said, expected] : {std::pair("HTTP/1.1 400 Bad Request\r\n\r\n", "script:9092 is an HTTP server, no broker"),
                                       std::pair("<!DOCTYPE html>", "script:9092 is an HTTP server, no broker"),
                                       std::pair("SSH-2.0-OpenSSH_9.2p1\r\n", "script:9092 is an SSH server, no broker"),
                                       std::pair("\x15\x03\x03\x02", "script:9092 is a port with TLS, no broker"),
                                       std::pair("220 mail ESMTP\r\n", "script:9092 sent a frame of")}) {
    const Error error = refusal([said](ScriptedConnection& connection, const ScriptedRequest&) { connection.say(as_bytes(said)); });
    EXPECT_EQ(error.kind, Error::Kind::cannot_connect);
    EXPECT_THAT(error.message, HasSubstr(expected));
    EXPECT_THAT(error.advice, HasSubstr("check host and port"));
  }
}

TEST(BrokerConnection, SaysThatAPortWhichHangsUpOnKafkasProtocolMayHaveTls) {
  const Error error = refusal([](ScriptedConnection& connection, const ScriptedRequest&) { connection.end(); });
  EXPECT_EQ(error.kind, Error::Kind::cannot_connect);
  EXPECT_THAT(error.message, HasSubstr("script:9092 ended the connection"));
  EXPECT_THAT(error.advice, HasSubstr("TLS"));
}

TEST(BrokerConnection, WaitsForAPortThatSaysNothingNoLongerThanForConnecting) {
  const Error error = refusal([](ScriptedConnection&, const ScriptedRequest&) {}, {.connect_timeout_ms = 20, .request_timeout_ms = 600'000});
  EXPECT_EQ(error.kind, Error::Kind::timed_out);
  EXPECT_THAT(error.message, HasSubstr("no answer from script:9092 within 20 ms"));
  EXPECT_THAT(error.advice, HasSubstr("does not answer as a broker does"));
}

TEST(BrokerConnection, StepsDownToTheApiVersionsThatAnOldBrokerHas) {
  std::vector<int16_t> tried;
  run(
      [&tried](ScriptedConnection& connection, const ScriptedRequest& request) {
        tried.push_back(request.version);
        protocol::ApiVersionsResponse response;
        auto& own = response.api_keys.emplace_back();
        own.api_key = 18;
        own.max_version = 2;
        auto& heartbeats = response.api_keys.emplace_back();
        heartbeats.api_key = static_cast<int16_t>(ApiKey::heartbeat);
        heartbeats.max_version = 3;
        if (request.version > 2) response.error_code = 35;
        connection.answer(request, response, request.version > 2 ? 0 : request.version);
      },
      {},
      [](std::shared_ptr<BrokerConnection> connection) {
        return expect_version(connection, ApiKey::heartbeat, 3);
      });
  EXPECT_EQ(tried, (std::vector<int16_t>{4, 2}));
}

task<void> expect_unsupported(std::shared_ptr<BrokerConnection> connection) {
  const auto version = connection->choose_version(ApiKey::fetch, {4, 18});
  EXPECT_FALSE(version);
  if (!version) EXPECT_THAT(version.error().to_string(), HasSubstr("Fetch 0 to 3, this program has 4 to 18"));
  const auto missing = connection->choose_version(ApiKey::produce, {3, 13});
  EXPECT_FALSE(missing);
  if (!missing) EXPECT_THAT(missing.error().to_string(), HasSubstr("does not offer Produce"));
  co_return;
}

TEST(BrokerConnection, SaysWhichVersionsDoNotMeet) {
  run(
      [](ScriptedConnection& connection, const ScriptedRequest& request) {
        protocol::ApiVersionsResponse response;
        auto& fetch = response.api_keys.emplace_back();
        fetch.api_key = static_cast<int16_t>(ApiKey::fetch);
        fetch.max_version = 3;
        connection.answer(request, response);
      },
      {}, expect_unsupported);
}

task<void> call_into(std::shared_ptr<BrokerConnection> connection, std::string group,
                     std::vector<std::string>& log) {
  auto reply = co_await connection->call<HeartbeatResponse>(heartbeat(group));
  log.push_back(reply ? fmt::format("{}:{}", group, reply->message.throttle_time_ms) : reply.error().message);
}

task<void> call_many(std::shared_ptr<BrokerConnection> connection, std::vector<std::string> groups,
                     std::vector<std::string>& log) {
  runtime::Scope calls;
  for (const std::string& group : groups) calls.spawn(call_into(connection, group, log));
  co_await calls.join();
}

TEST(BrokerConnection, SendsCallsInOrderAndNoMoreThanItsLimitAtOnce) {
  std::vector<std::string> log;
  std::vector<ScriptedRequest> waiting;
  size_t most = 0;
  int answered = 0;
  ConnectionOptions options;
  options.max_in_flight = 3;
  const auto answer_one = [&](ScriptedConnection& connection) {
    HeartbeatResponse response;
    response.throttle_time_ms = ++answered;
    const ScriptedRequest request = waiting.front();
    waiting.erase(waiting.begin());
    connection.answer(request, response);
  };
  run(after_handshake([&](ScriptedConnection& connection, const ScriptedRequest& request) {
        waiting.push_back(request);
        most = std::max(most, waiting.size());
        if (waiting.size() == 3 || answered >= 4) answer_one(connection);
        if (answered == 5) {
          while (!waiting.empty()) answer_one(connection);
        }
      }),
      options, [&log](std::shared_ptr<BrokerConnection> connection) {
        return call_many(connection, {"a", "b", "c", "d", "e", "f", "g"}, log);
      });
  EXPECT_EQ(most, 3U);
  EXPECT_EQ(log, (std::vector<std::string>{"a:1", "b:2", "c:3", "d:4", "e:5", "f:6", "g:7"}));
}

TEST(BrokerConnection, FailsEveryCallWhenThePeerCloses) {
  std::vector<std::string> log;
  run(after_handshake([&](ScriptedConnection& connection, const ScriptedRequest& request) {
        if (request.correlation_id == 2) connection.end();
      }),
      {}, [&log](std::shared_ptr<BrokerConnection> connection) {
        return call_many(connection, {"a", "b", "c"}, log);
      });
  ASSERT_EQ(log.size(), 3U);
  for (const std::string& line : log) EXPECT_THAT(line, HasSubstr("the broker closed it"));
}

TEST(BrokerConnection, RefusesAnAnswerToSomethingElse) {
  std::vector<std::string> log;
  run(after_handshake([&](ScriptedConnection& connection, const ScriptedRequest& request) {
        ScriptedRequest other = request;
        other.correlation_id += 7;
        connection.answer(other, HeartbeatResponse{});
      }),
      {}, [&log](std::shared_ptr<BrokerConnection> connection) { return call_many(connection, {"a"}, log); });
  EXPECT_THAT(log.at(0), HasSubstr("answered a request that was not sent"));
}

TEST(BrokerConnection, RefusesAbsurdFramesWithoutMakingRoomForThem) {
  for (const char* frame : {"7fffffff", "ffffffff", "00000003000000"}) {
    std::vector<std::string> log;
    run(after_handshake(
            [&](ScriptedConnection& connection, const ScriptedRequest&) { connection.say(from_hex(frame)); }),
        {},
        [&log](std::shared_ptr<BrokerConnection> connection) { return call_many(connection, {"a"}, log); });
    EXPECT_THAT(log.at(0), HasSubstr("sent a frame of")) << frame;
  }
}

TEST(BrokerConnection, SaysWhatItCouldNotRead) {
  std::vector<std::string> log;
  run(after_handshake([&](ScriptedConnection& connection, const ScriptedRequest& request) {
        Bytes frame = from_hex("0000000600000000001234");
        frame.resize(10);
        store_be<int32_t>(frame.data() + 4, request.correlation_id);
        connection.say(frame);
      }),
      {}, [&log](std::shared_ptr<BrokerConnection> connection) {
        return call_many(connection, {"a", "b"}, log);
      });
  EXPECT_THAT(log.at(0), HasSubstr("cannot read the answer to Heartbeat"));
}

TEST(BrokerConnection, GivesUpWhenNoAnswerComesInTime) {
  std::vector<std::string> log;
  ConnectionOptions options;
  options.request_timeout_ms = 20;
  run(after_handshake([](ScriptedConnection&, const ScriptedRequest&) {}), options,
      [&log](std::shared_ptr<BrokerConnection> connection) { return call_many(connection, {"a"}, log); });
  EXPECT_THAT(log.at(0), HasSubstr("no answer from script:9092 within 20 ms"));
}

task<void> expect_no_handshake(ScriptedEnvironment& environment) {
  runtime::Scope scope;
  auto opened = co_await BrokerConnection::open(environment, scope, {"script", 9092});
  EXPECT_FALSE(opened);
  if (!opened) {
    EXPECT_EQ(opened.error().kind, Error::Kind::cannot_connect);
    EXPECT_FALSE(opened.error().advice.empty());
  }
  co_await scope.join();
}

TEST(BrokerConnection, TellsWhenTheOtherSideIsNoBroker) {
  ScriptedEnvironment environment([](ScriptedConnection& connection, const ScriptedRequest&) {
    connection.say(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  environment.run([&environment] { return expect_no_handshake(environment); });
}

TEST(BrokerConnection, TellsWhenNobodyListens) {
  ScriptedEnvironment environment(nullptr);
  environment.run([&environment] { return expect_no_handshake(environment); });
}

}  // namespace
}  // namespace moldau::client
