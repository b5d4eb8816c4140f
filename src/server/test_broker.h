// A whole node in a simulated world, for tests that ask its broker as a connection would: request in, response out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "broker/api_handlers.h"
#include "broker/dispatch.h"
#include "metadata/config/load_node_config.h"
#include "protocol/api_table.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "runtime/simulated/simulated_environment.h"
#include "server/node.h"

namespace moldau::server {

inline metadata::LoadedConfig test_config(const std::vector<std::string>& overrides = {}) {
  metadata::ConfigInput input{.file_name = "server.properties", .file_bytes = {}, .overrides = overrides};
  input.file_bytes =
      "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://10.0.0.1:9092,CONTROLLER://10.0.0.1:9093\n"
      "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\ncontroller.listener.names=CONTROLLER\n"
      "controller.quorum.bootstrap.servers=10.0.0.1:9093\nlog.dirs=/data\noffsets.topic.replication.factor=1\n"
      "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
      "share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n"
      "offsets.topic.num.partitions=2\ngroup.initial.rebalance.delay.ms=0\n";
  auto loaded = metadata::load_node_config(input);
  MOLDAU_ASSERT_MSG(loaded.has_value(), "the test's configuration is not valid");
  return std::move(*loaded);
}

class TestBroker {
 public:
  explicit TestBroker(broker::Broker& broker) : broker_(broker) {
    client_.peer = {"10.0.1.1", 50000};
    client_.listener_name = "PLAINTEXT";
    client_.watch = std::make_shared<broker::ConnectionWatch>();
  }

  // A whole frame without its size; the answer likewise.
  [[nodiscard]] runtime::task<Bytes> ask_frame(Bytes frame) {
    auto owner = std::make_shared<Bytes>(std::move(frame));
    const ByteView bytes = *owner;
    broker::Reply reply = co_await broker::serve_request(broker_, *broker_.shards.front(), client_, bytes, owner);
    EXPECT_FALSE(reply.refusal) << reply.refusal->detail;
    if (reply.frame.empty()) co_return Bytes{};
    co_return Bytes(reply.frame.begin() + 4, reply.frame.end());
  }

  template <class Response, class Request>
  [[nodiscard]] runtime::task<Response> ask(Request request, int16_t version = Request::valid_versions.max) {
    protocol::Writer writer;
    const protocol::ApiInfo& api = protocol::api_info(Request::api_key);
    writer.int16(static_cast<int16_t>(Request::api_key));
    writer.int16(version);
    writer.int32(7);
    writer.nullable_string(std::string("test"), false, true);
    if (api.request_header_version(version) >= 2) writer.unsigned_varint(0);
    protocol::encode(writer, request, version);
    const Bytes answer = co_await ask_frame(writer.take());
    protocol::Reader reader(answer);
    reader.int32();
    if (api.response_header_version(version) >= 1) reader.unsigned_varint();
    auto decoded = protocol::decode<Response>(reader, version);
    EXPECT_TRUE(decoded.has_value());
    co_return decoded ? std::move(*decoded) : Response{};
  }

  [[nodiscard]] broker::Broker& broker() { return broker_; }
  [[nodiscard]] broker::ClientConnection& client() { return client_; }

 private:
  broker::Broker& broker_;
  broker::ClientConnection client_;
};

// Starts a node, runs `story` with it, stops it.
using Story = std::function<runtime::task<void>(TestBroker&)>;

inline runtime::task<void> tell(runtime::Environment& environment, const Story& story, metadata::LoadedConfig config, bool& done) {
  auto node = std::make_unique<Node>(environment, std::move(config));
  const auto started = co_await node->start();
  EXPECT_TRUE(started.has_value()) << (started ? "" : started.error());
  if (started) {
    TestBroker broker(node->broker());
    co_await story(broker);
  }
  co_await node->stop();
  done = true;
}

inline void with_broker(const Story& story, int shards = 2, const std::vector<std::string>& overrides = {}) {
  runtime::simulated::World world(1);
  runtime::simulated::Node& server = world.add_node("10.0.0.1", shards);
  bool done = false;
  world.boot(server, [&](runtime::Environment& environment) { return tell(environment, story, test_config(overrides), done); });
  EXPECT_TRUE(world.run_until([&] { return done; }, 60'000'000)) << "the story does not end";
}

}  // namespace moldau::server
