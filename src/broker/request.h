// A request on its way through the broker, and the answer to it.
//
// The server makes a RequestContext for each frame; the handler of its API fills a Reply. Both live on the shard of
// their connection until the answer has been sent. Views in the decoded request point into the frame, which the
// context keeps alive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "broker/listener_role.h"
#include "broker/refusal.h"
#include "runtime/network.h"
#include "security/authorizer.h"

namespace moldau::broker {

class Broker;
struct BrokerShard;

// Whether the client is still there; tasks that wait long ask to be told when it goes.
class ConnectionWatch {
 public:
  [[nodiscard]] bool closed() const { return closed_; }
  // Calls `hook` once when the connection closes, unless it was removed before. One hook for each key.
  void on_close(const void* key, std::function<void()> hook);
  void remove(const void* key);
  void close();

 private:
  bool closed_ = false;
  std::vector<std::pair<const void*, std::function<void()>>> hooks_;
};

// What is known of a client's connection.
struct ClientConnection {
  security::Principal principal;  // whom the listener took the client for
  runtime::Address peer;
  runtime::Address local;
  std::string listener_name;
  ListenerRole role = ListenerRole::broker;
  std::string software_name;     // from ApiVersions, "unknown" before (KIP-511)
  std::string software_version;
  std::shared_ptr<ConnectionWatch> watch;
};

[[nodiscard]] inline security::Caller caller_of(const ClientConnection& connection) {
  return {.principal = &connection.principal, .host = connection.peer.host};
}

struct RequestContext {
  Broker& broker;
  BrokerShard& shard;
  ClientConnection& connection;
  int16_t api_key = 0;
  int16_t version = 0;
  int32_t correlation_id = 0;
  std::string client_id;
  ByteView body;                // after the header
  std::shared_ptr<void> bytes;  // keeps `body` and all views into it
  int64_t received_us = 0;      // on the shard's clock
};

// An answer: the frame with its size and header, and ranges of files that belong between its bytes.
struct Reply {
  struct FileRange {
    size_t after_bytes = 0;  // the range stands after so many bytes of `frame`
    runtime::FilePtr file;
    uint64_t position = 0;
    uint64_t size_bytes = 0;
  };
  Bytes frame;                    // empty: nothing is sent (Produce with acks=0)
  std::vector<FileRange> ranges;  // in rising order of after_bytes
  std::vector<std::shared_ptr<const void>> owners;  // whatever `ranges` must keep alive
  std::optional<Refusal> refusal;  // then nothing is sent and the connection closes
  bool closes = false;             // the connection closes after this answer
};

}  // namespace moldau::broker
