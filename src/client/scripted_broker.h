// For tests: a broker that answers from a script, behind a network without sockets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/api_table.h"
#include "protocol/messages/api_versions_response.h"
#include "protocol/writer.h"
#include "runtime/environment.h"
#include "runtime/real/environment.h"
#include "runtime/signal.h"

namespace moldau::client {

struct ScriptedRequest {
  protocol::ApiKey key{};
  int16_t version = 0;
  int32_t correlation_id = 0;
  Bytes frame;  // with its size
};

// What one connection of a broker does with a request; it may answer later, or never.
class ScriptedConnection : public runtime::Connection {
 public:
  using Handler = std::function<void(ScriptedConnection&, const ScriptedRequest&)>;
  explicit ScriptedConnection(Handler handler) : handler_(std::move(handler)) {}

  runtime::task<runtime::io_result<size_t>> read(MutableByteView into) override {
    while (output_.empty() && !is_closed_ && !is_ended_) co_await changed_.wait();
    if (is_closed_) co_return fail(runtime::IoError{ECANCELED, "read", "script"});
    const size_t count = std::min(into.size(), output_.size());
    std::copy_n(output_.begin(), count, into.begin());
    output_.erase(output_.begin(), output_.begin() + static_cast<ptrdiff_t>(count));
    co_return count;
  }
  runtime::task<runtime::io_result<>> write(std::span<const runtime::OutputPart> parts) override {
    if (is_closed_)
      return runtime::ready(runtime::io_result<>(fail(runtime::IoError{ECANCELED, "write", "script"})));
    for (const auto& part : parts) input_.insert(input_.end(), part.bytes.begin(), part.bytes.end());
    while (input_.size() >= 12 && !is_ended_) {
      const size_t size = static_cast<size_t>(load_be<int32_t>(input_.data())) + 4;
      if (input_.size() < size) break;
      ScriptedRequest request{.key = static_cast<protocol::ApiKey>(load_be<int16_t>(input_.data() + 4)),
                              .version = load_be<int16_t>(input_.data() + 6),
                              .correlation_id = load_be<int32_t>(input_.data() + 8),
                              .frame = Bytes(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(size))};
      input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(size));
      handler_(*this, request);
    }
    if (holds_write_) return write_when_released();
    return runtime::ready(runtime::io_result<>());
  }
  void close() override {
    is_closed_ = true;
    changed_.notify_all();
  }
  const runtime::Address& peer() const override { return address_; }
  const runtime::Address& local() const override { return address_; }

  // The peer closes its side once what it said is read.
  void end() {
    is_ended_ = true;
    changed_.notify_all();
  }
  // The write that is under way has sent its bytes and does not return until it is released.
  void hold_write() { holds_write_ = true; }
  void release_write() {
    holds_write_ = false;
    changed_.notify_all();
  }
  void say(ByteView bytes) {
    output_.insert(output_.end(), bytes.begin(), bytes.end());
    changed_.notify_all();
  }
  template <class Response>
  void answer(const ScriptedRequest& request, const Response& response, std::optional<int16_t> version = {}) {
    protocol::Writer writer;
    writer.int32(0);
    writer.int32(request.correlation_id);
    if (protocol::api_info(request.key).response_header_version(request.version) >= 1)
      writer.unsigned_varint(0);
    protocol::encode(writer, response, version.value_or(request.version));
    writer.patch_int32(0, static_cast<int32_t>(writer.size() - 4));
    say(writer.view());
  }

 private:
  runtime::task<runtime::io_result<>> write_when_released() {
    while (holds_write_) co_await changed_.wait();
    co_return runtime::io_result<>();
  }

  Handler handler_;
  Bytes input_;
  Bytes output_;
  bool is_closed_ = false;
  bool is_ended_ = false;
  bool holds_write_ = false;
  runtime::Signal changed_;
  runtime::Address address_{"script", 9092};
};

// The real environment's shards and clocks with a network of scripts: every connect gives a new connection to
// `handler`.
class ScriptedEnvironment : public runtime::Environment, public runtime::Network {
 public:
  explicit ScriptedEnvironment(ScriptedConnection::Handler handler)
      : real_(runtime::make_real_environment({})), handler_(std::move(handler)) {}

  void run(std::move_only_function<runtime::task<void>()> main) { real_->run(std::move(main)); }
  int connections = 0;

  const std::vector<runtime::Shard*>& shards() const override { return real_->shards(); }
  runtime::Shard& quorum_shard() const override { return real_->quorum_shard(); }
  runtime::FileSystem& files() override { return real_->files(); }
  runtime::Network& network() override { return *this; }
  int64_t wall_clock_ms() const override { return 1'750'000'000'000; }
  int64_t uptime_ms() const override { return 0; }
  std::string boot_id() const override { return {}; }
  uint64_t random() override { return random_++; }
  runtime::task<void> run_off_shard(runtime::Job work) override {
    work();
    return runtime::ready();
  }
  runtime::io_result<std::unique_ptr<runtime::Listener>> listen(const runtime::Address&, Serve, const runtime::ListenOptions&) override {
    return fail(runtime::IoError{ENOTSUP, "listen", "script"});
  }
  runtime::task<runtime::io_result<std::unique_ptr<runtime::Connection>>> connect(runtime::Address address,
                                                                                  int64_t) override {
    using Connected = runtime::io_result<std::unique_ptr<runtime::Connection>>;
    if (!handler_)
      return runtime::ready(Connected(fail(runtime::IoError{ECONNREFUSED, "connect", address.to_string()})));
    ++connections;
    return runtime::ready(Connected(std::make_unique<ScriptedConnection>(handler_)));
  }

 private:
  std::unique_ptr<runtime::RealEnvironment> real_;
  ScriptedConnection::Handler handler_;
  uint64_t random_ = 0;
};

// Offers every API in the versions that Kafka's broker does.
[[nodiscard]] inline protocol::ApiVersionsResponse all_api_versions() {
  protocol::ApiVersionsResponse response;
  for (const protocol::ApiInfo& api : protocol::api_table()) {
    if (api.broker_versions.is_empty()) continue;
    auto& offered = response.api_keys.emplace_back();
    offered.api_key = static_cast<int16_t>(api.key);
    offered.min_version = api.broker_versions.min;
    offered.max_version = api.broker_versions.max;
  }
  return response;
}

}  // namespace moldau::client
