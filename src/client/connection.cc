#include "client/connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "protocol/messages/api_versions_request.h"

namespace moldau::client {

using protocol::ApiKey;
using protocol::ErrorCode;
using protocol::VersionRange;

struct BrokerConnection::Pending {
  int32_t correlation_id = 0;
  std::optional<client_result<Bytes>> outcome;
  runtime::Signal done;
};

namespace {

constexpr size_t size_prefix = 4;
constexpr size_t read_step_bytes = 1U << 20;  // memory follows what came, not what a size promises

Error connect_error(const std::string& address, const runtime::IoError& error) {
  if (error.operation == "resolve") {
    return {.kind = Error::Kind::cannot_connect,
            .message = fmt::format("cannot connect to {}: the name {} is not known", address, error.subject),
            .advice = "Is it spelled right, and can this machine look names up? An address does as well: --bootstrap-server 127.0.0.1:9092"};
  }
  return {.kind = Error::Kind::cannot_connect,
          .message = error.message().starts_with("cannot connect")
                         ? error.message()
                         : fmt::format("cannot connect to {}: {}", address, error.message()),
          .advice =
              "Is a broker running there? Start one with: moldau server, or name another with "
              "--bootstrap-server"};
}

// What stands at a port that is no listener of a broker in plain text, by the first bytes that it says.
std::string_view stranger(std::string_view said) {
  if (said.starts_with("HTTP") || said.starts_with("<!") || said.starts_with("<h")) return "an HTTP server";
  if (said.starts_with("SSH-")) return "an SSH server";
  if (said.starts_with("\x15\x03")) return "a port with TLS";  // an alert
  return {};
}

// The first exchange has failed: what that says of the port.
Error not_a_broker(const std::string& address, Error error) {
  switch (error.kind) {
    case Error::Kind::disconnected:
      error.kind = Error::Kind::cannot_connect;
      error.message = fmt::format("{} ended the connection in place of an answer", address);
      error.advice = "Something listens there, but no broker in plain text; with TLS this program cannot speak. Check host and port";
      break;
    case Error::Kind::malformed:
      error.kind = Error::Kind::cannot_connect;
      error.advice = "Something listens there, but it does not speak Kafka's protocol in plain text; check host and port";
      break;
    case Error::Kind::timed_out:
      error.advice = "Something listens there, but it does not answer as a broker does; check host and port";
      break;
    default:
      break;
  }
  return error;
}

}  // namespace

task<client_result<std::shared_ptr<BrokerConnection>>> BrokerConnection::open(
    runtime::Environment& environment, runtime::Scope& scope, runtime::Address address,
    ConnectionOptions options) {
  auto connected = co_await environment.network().connect(address, options.connect_timeout_ms);
  if (!connected) co_return fail(connect_error(address.to_string(), connected.error()));
  auto self = std::make_shared<BrokerConnection>(std::move(*connected), std::move(options));
  self->address_ = address.to_string();
  scope.spawn(self->read_answers());
  if (auto agreed = co_await self->negotiate(); !agreed) {
    self->close();
    co_return fail(not_a_broker(self->address_, std::move(agreed).error()));
  }
  co_return self;
}

BrokerConnection::BrokerConnection(std::unique_ptr<runtime::Connection> connection, ConnectionOptions options)
    : connection_(std::move(connection)), options_(std::move(options)) {}
BrokerConnection::~BrokerConnection() = default;

client_result<int16_t> BrokerConnection::choose_version(ApiKey key, VersionRange ours,
                                                        int16_t max_version) const {
  const auto offered = offered_.find(static_cast<int16_t>(key));
  const std::string_view name = protocol::api_info(key).name;
  if (offered == offered_.end()) {
    return fail(Error{.kind = Error::Kind::unsupported,
                      .code = ErrorCode::unsupported_version,
                      .message = fmt::format("the broker at {} does not offer {}", address_, name),
                      .advice = "See what it offers with: moldau api-versions"});
  }
  const int16_t low = std::max(ours.min, offered->second.min);
  const int16_t high = std::min({ours.max, offered->second.max, max_version});
  if (low > high) {
    return fail(Error{.kind = Error::Kind::unsupported,
                      .code = ErrorCode::unsupported_version,
                      .message = fmt::format("the broker at {} offers {} {} to {}, this program has {} to {}",
                                             address_, name, offered->second.min, offered->second.max,
                                             ours.min, std::min(ours.max, max_version)),
                      .advice = "Use a release of this program that fits the broker's"});
  }
  return high;
}

protocol::Writer BrokerConnection::begin_frame(ApiKey key, int16_t version) {
  protocol::Writer writer;
  writer.skip(size_prefix);
  writer.int16(static_cast<int16_t>(key));
  writer.int16(version);
  writer.int32(next_correlation_id_++);
  writer.nullable_string(options_.client_id, false, true);
  if (protocol::api_info(key).request_header_version(version) >= 2) writer.unsigned_varint(0);
  return writer;
}

Bytes BrokerConnection::end_frame(protocol::Writer writer) {
  writer.patch_int32(0, static_cast<int32_t>(writer.size() - size_prefix));
  return writer.take();
}

ByteView BrokerConnection::body_of(const Bytes& frame, ApiKey key, int16_t version) {
  protocol::Reader reader(frame);
  reader.int32();
  if (protocol::api_info(key).response_header_version(version) >= 1) {
    std::vector<protocol::TaggedField> ignored;
    reader.unknown_tagged_fields(ignored);
  }
  return reader.failed() ? ByteView{} : reader.take(reader.remaining());
}

Error BrokerConnection::not_understood(ApiKey key, const protocol::DecodeError& error) {
  Error malformed{.kind = Error::Kind::malformed,
                  .message = fmt::format("cannot read the answer to {} from {}: {}",
                                         protocol::api_info(key).name, address_, error.to_string()),
                  .advice = "Please report this with the broker's release"};
  break_off(malformed);
  return malformed;
}

// ApiVersions in our highest version; a broker that lacks it answers in version 0 what it has (KIP-511). Within the time for
// connecting, since whatever listens there may not be a broker.
task<client_result<>> BrokerConnection::negotiate() {
  using Request = protocol::ApiVersionsRequest;
  using Response = protocol::ApiVersionsResponse;
  Request request;
  request.client_software_name = "moldau";
  request.client_software_version = "0.1.0";
  int16_t version = Request::valid_versions.max;
  while (true) {
    const int64_t less_ms = std::min<int64_t>(options_.connect_timeout_ms - options_.request_timeout_ms, 0);
    MOLDAU_CO_TRY(const Bytes frame, co_await exchange(request_frame(request, version), less_ms));
    const ByteView body = body_of(frame, ApiKey::api_versions, version);
    const bool is_refused =
        body.size() >= 2 && error_code(load_be<int16_t>(body.data())) == ErrorCode::unsupported_version;
    auto response = protocol::decode<Response>(body, is_refused ? int16_t{0} : version);
    if (!response) co_return fail(not_understood(ApiKey::api_versions, response.error()));
    if (is_refused && version > 0) {
      int16_t next = 0;
      for (const auto& api : response->api_keys) {
        if (api.api_key == static_cast<int16_t>(ApiKey::api_versions))
          next = std::min<int16_t>(api.max_version, version - 1);
      }
      version = std::max<int16_t>(next, 0);
      continue;
    }
    if (response->error_code != 0)
      co_return fail(
          server_error(error_code(response->error_code), fmt::format("ApiVersions at {}", address_)));
    api_versions_ = std::move(*response);
    for (const auto& api : api_versions_.api_keys) offered_[api.api_key] = {api.min_version, api.max_version};
    co_return client_result<>{};
  }
}

task<client_result<Bytes>> BrokerConnection::exchange(Bytes frame, int64_t extra_timeout_ms) {
  const auto self = shared_from_this();  // a caller may drop the connection while it waits
  runtime::Shard& shard = runtime::Shard::current();
  const int64_t timeout_ms = options_.request_timeout_ms + extra_timeout_ms;
  const runtime::TimerId timer = shard.call_at(shard.now_us() + timeout_ms * 1000, [this, timeout_ms] {
    break_off({.kind = Error::Kind::timed_out,
               .message = fmt::format("no answer from {} within {} ms", address_, timeout_ms),
               .advice = "Look at the broker's log, or give it more time with --timeout"});
  });
  Pending pending;
  {
    const auto held = co_await writing_.lock();  // before the wait for a slot, so that calls keep their order
    while (!broken_ && std::cmp_greater_equal(in_flight_.size(), options_.max_in_flight))
      co_await slot_free_.wait();
    if (!broken_) {
      pending.correlation_id = load_be<int32_t>(frame.data() + size_prefix + 4);
      in_flight_.push_back(&pending);
      const runtime::OutputPart part{.bytes = frame};
      if (auto written = co_await connection_->write(std::span(&part, 1)); !written && !broken_) {
        break_off(
            {.kind = Error::Kind::disconnected,
             .message = fmt::format("the connection to {} was lost: {}", address_, written.error().message()),
             .advice = "Is the broker still running? Try again"});
      }
    } else {
      pending.outcome = fail(*broken_);
    }
  }
  while (!pending.outcome) co_await pending.done.wait();
  shard.cancel(timer);
  slot_free_.notify_one();
  co_return std::move(*pending.outcome);
}

task<client_result<>> BrokerConnection::send(Bytes frame) {
  const auto self = shared_from_this();
  const auto held = co_await writing_.lock();
  if (broken_) co_return fail(*broken_);
  const runtime::OutputPart part{.bytes = frame};
  if (auto written = co_await connection_->write(std::span(&part, 1)); !written) {
    break_off(
        {.kind = Error::Kind::disconnected,
         .message = fmt::format("the connection to {} was lost: {}", address_, written.error().message()),
         .advice = "Is the broker still running? Try again"});
    co_return fail(*broken_);
  }
  co_return client_result<>{};
}

task<void> BrokerConnection::read_answers() {
  const auto self = shared_from_this();
  while (!broken_) {
    auto frame = co_await read_frame();
    if (!frame) {
      break_off(std::move(frame).error());
      break;
    }
    const auto correlation_id = load_be<int32_t>(frame->data());
    if (in_flight_.empty() || in_flight_.front()->correlation_id != correlation_id) {
      break_off({.kind = Error::Kind::malformed,
                 .message = fmt::format("{} answered a request that was not sent (correlation id {})",
                                        address_, correlation_id),
                 .advice = "Is this a Kafka broker? Check host and port"});
      break;
    }
    Pending& pending = *in_flight_.front();
    in_flight_.pop_front();
    pending.outcome = std::move(*frame);
    pending.done.notify_all();
  }
}

task<client_result<Bytes>> BrokerConnection::read_frame() {
  Bytes frame(size_prefix);
  size_t filled = 0;
  size_t wanted = size_prefix;
  bool is_size_known = false;
  while (true) {
    while (filled < wanted) {
      if (frame.size() == filled) frame.resize(std::min(wanted, filled + read_step_bytes));
      auto got = co_await connection_->read(MutableByteView(frame).subspan(filled));
      if (!got || *got == 0) {
        co_return fail(Error{.kind = Error::Kind::disconnected,
                             .message = fmt::format("the connection to {} was lost: {}", address_,
                                                    got ? "the broker closed it" : got.error().message()),
                             .advice = "Is the broker still running? Its log says why it closed; try again"});
      }
      filled += *got;
    }
    if (is_size_known) co_return frame;
    const auto size = load_be<int32_t>(frame.data());
    if (size < 4 || static_cast<uint32_t>(size) > options_.response_max_bytes) {
      if (const std::string_view other = stranger(as_text(frame)); !other.empty())
        co_return fail(Error{.kind = Error::Kind::malformed, .message = fmt::format("{} is {}, no broker", address_, other)});
      co_return fail(
          Error{.kind = Error::Kind::malformed,
                .message = fmt::format("{} sent a frame of {} bytes, allowed are 4 to {}", address_, size,
                                       options_.response_max_bytes),
                .advice = "Is this a Kafka broker, and its port one without TLS? Check host and port"});
    }
    is_size_known = true;
    wanted = static_cast<size_t>(size);
    filled = 0;
    frame.resize(std::min(wanted, read_step_bytes));
  }
}

void BrokerConnection::close() {
  break_off({.kind = Error::Kind::disconnected,
             .message = fmt::format("the connection to {} was closed", address_)});
}

void BrokerConnection::break_off(Error error) {
  if (broken_) return;
  broken_ = std::move(error);
  connection_->close();
  for (Pending* pending : std::exchange(in_flight_, {})) {
    pending->outcome = fail(*broken_);
    pending->done.notify_all();
  }
  slot_free_.notify_all();
}

}  // namespace moldau::client
