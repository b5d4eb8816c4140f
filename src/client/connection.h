// BrokerConnection: one connection to one broker, as Kafka's protocol uses it.
//
// Frames, correlation ids, the ApiVersions handshake (KIP-511), several requests in flight, a deadline for
// each. Requests go out in the order of their calls and are answered in that order. The first failure of any
// kind (a timeout too: later answers would queue behind the missing one) ends the connection; every call
// under way then fails and the owner opens another. It does not retry, know topics or authenticate.
//
// One shard. `open` hands the reading task to the caller's scope; close the connection before joining that
// scope.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client/error.h"
#include "protocol/api_table.h"
#include "protocol/messages/api_versions_response.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "runtime/environment.h"
#include "runtime/scope.h"

namespace moldau::client {

using runtime::task;

struct ConnectionOptions {
  std::string client_id = "moldau";
  int64_t connect_timeout_ms = 10'000;
  int64_t request_timeout_ms = 30'000;
  int max_in_flight = 5;  // further calls wait for their turn
  uint32_t response_max_bytes = 256U << 20;
};

// An answer. Records inside `message` are views into `frame`.
template <class Response>
struct Reply {
  Response message;
  int16_t version = 0;
  Bytes frame;
};

class BrokerConnection : public std::enable_shared_from_this<BrokerConnection> {
 public:
  // Connects and asks for the broker's versions.
  static task<client_result<std::shared_ptr<BrokerConnection>>> open(runtime::Environment& environment,
                                                                     runtime::Scope& scope,
                                                                     runtime::Address address,
                                                                     ConnectionOptions options = {});

  BrokerConnection(std::unique_ptr<runtime::Connection> connection, ConnectionOptions options);
  ~BrokerConnection();

  // Sends `request` in the highest version that both sides have (and that is at most `max_version`) and waits
  // for its answer. `extra_timeout_ms` comes on top of the request timeout, for requests that wait at the
  // broker.
  template <class Response, class Request>
  task<client_result<Reply<Response>>> call(Request request, int64_t extra_timeout_ms = 0,
                                            int16_t max_version = INT16_MAX) {
    static_assert(Request::api_key == Response::api_key);
    MOLDAU_CO_TRY(const int16_t version,
                  choose_version(Request::api_key, Request::valid_versions, max_version));
    Bytes frame = request_frame(request, version);
    MOLDAU_CO_TRY(Bytes answer, co_await exchange(std::move(frame), extra_timeout_ms));
    Reply<Response> reply{.version = version, .frame = std::move(answer)};
    protocol::Reader reader(body_of(reply.frame, Request::api_key, version));
    auto decoded = protocol::decode<Response>(reader, version);
    if (!decoded) co_return fail(not_understood(Request::api_key, decoded.error()));
    reply.message = std::move(*decoded);
    co_return reply;
  }

  // Sends a request that has no answer (Produce with acks=0).
  template <class Request>
  task<client_result<>> send_only(Request request, int16_t max_version = INT16_MAX) {
    MOLDAU_CO_TRY(const int16_t version,
                  choose_version(Request::api_key, Request::valid_versions, max_version));
    Bytes frame = request_frame(request, version);
    co_return co_await send(std::move(frame));
  }

  // The highest common version, or why there is none.
  [[nodiscard]] client_result<int16_t> choose_version(protocol::ApiKey key, protocol::VersionRange ours,
                                                      int16_t max_version = INT16_MAX) const;

  // Ends the connection; calls under way fail with `disconnected`. May be called twice.
  void close();
  [[nodiscard]] bool is_open() const { return !broken_.has_value(); }
  [[nodiscard]] const std::string& address() const { return address_; }
  // What the broker offers, as it said so.
  [[nodiscard]] const protocol::ApiVersionsResponse& api_versions() const { return api_versions_; }

 private:
  struct Pending;  // a call that waits for its answer; lives in that call's frame

  template <class Request>
  Bytes request_frame(const Request& request, int16_t version) {
    protocol::Writer writer = begin_frame(Request::api_key, version);
    protocol::encode(writer, request, version);
    return end_frame(std::move(writer));
  }
  protocol::Writer begin_frame(protocol::ApiKey key, int16_t version);
  static Bytes end_frame(protocol::Writer writer);
  // What follows the response header; empty (which no body can be) if the header is cut off.
  static ByteView body_of(const Bytes& frame, protocol::ApiKey key, int16_t version);
  Error not_understood(protocol::ApiKey key, const protocol::DecodeError& error);

  task<client_result<>> negotiate();
  task<client_result<Bytes>> exchange(Bytes frame, int64_t extra_timeout_ms);
  task<client_result<>> send(Bytes frame);
  task<void> read_answers();
  task<client_result<Bytes>> read_frame();
  void break_off(Error error);

  std::unique_ptr<runtime::Connection> connection_;
  ConnectionOptions options_;
  std::string address_;
  protocol::ApiVersionsResponse api_versions_;
  std::map<int16_t, protocol::VersionRange> offered_;
  int32_t next_correlation_id_ = 0;
  std::deque<Pending*> in_flight_;  // in the order in which they were sent
  runtime::Signal slot_free_;
  runtime::Mutex writing_;
  std::optional<Error> broken_;  // why the connection is over
};

}  // namespace moldau::client
