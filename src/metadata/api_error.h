// An error as an answer carries it: Kafka's code, and a sentence for people.
#pragma once

#include <string>

#include "protocol/error_code.h"

namespace moldau::metadata {

struct ApiError {
  protocol::ErrorCode code = protocol::ErrorCode::none;
  std::string message;

  [[nodiscard]] bool is_none() const { return code == protocol::ErrorCode::none; }
  friend bool operator==(const ApiError&, const ApiError&) = default;
};

// With the text that Kafka has for the code.
[[nodiscard]] inline ApiError plain_error(protocol::ErrorCode code) {
  return {code, std::string(protocol::error_message(code))};
}

}  // namespace moldau::metadata
