// What went wrong with a request, in words that a person can act on.
//
// `message` says what failed, `advice` what to do next; both are sentences without a full stop's worth of
// context missing (which broker, which topic). `code` is what the server answered, if it answered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/error_code.h"
#include "runtime/io_error.h"

namespace moldau::client {

struct Error {
  enum class Kind : uint8_t {
    cannot_connect,  // no broker could be reached
    disconnected,  // the connection ended while a request was under way; it may or may not have been carried
                   // out
    timed_out,     // no answer within the request's time; likewise
    malformed,     // the answer is not Kafka's protocol
    unsupported,   // the broker has no version of this API that we have
    server,        // the broker answered with `code`
    invalid,       // the caller asked for something that cannot be sent
  };
  Kind kind = Kind::invalid;
  protocol::ErrorCode code = protocol::ErrorCode::none;
  std::string message;
  std::string advice;

  // The message, and the advice on a line of its own if there is one.
  [[nodiscard]] std::string to_string() const;
};

template <class T = void>
using client_result = result<T, Error>;

// `what` names the failed thing ("topic orders", "orders-3 at 127.0.0.1:9092"); `detail` is the server's own
// message.
[[nodiscard]] Error server_error(protocol::ErrorCode code, std::string_view what,
                                 std::string_view detail = {});

[[nodiscard]] inline protocol::ErrorCode error_code(int16_t wire) {
  return static_cast<protocol::ErrorCode>(wire);
}

// Whether the same request may succeed later, perhaps at another broker (Kafka's
// RetriableException, but for topics that do not exist).
[[nodiscard]] bool is_worth_retrying(const Error& error);
[[nodiscard]] bool is_worth_retrying(protocol::ErrorCode code);
// Whether cached metadata must be thrown away before trying again.
[[nodiscard]] bool needs_new_metadata(protocol::ErrorCode code);

}  // namespace moldau::client
