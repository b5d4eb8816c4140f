// Input that is refused by closing its connection: counted by kind, logged with its first detail and then at most once
// a minute a kind, so that a stranger cannot fill the log.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/metrics.h"

namespace moldau::broker {

enum class RefusalKind : uint8_t { frame_size, tls, http, header, unknown_api, unsupported_version, malformed_request, memory, slow };
inline constexpr size_t refusal_kinds = 9;

struct Refusal {
  RefusalKind kind = RefusalKind::malformed_request;
  std::string detail;  // a sentence for the log
};

[[nodiscard]] std::string_view refusal_kind_name(RefusalKind kind);

// One shard's count of refusals.
class Refusals {
 public:
  explicit Refusals(MetricRegistry& metrics);
  // `peer` is the address of who sent it. Logs against the current shard's clock.
  void count(const Refusal& refusal, std::string_view peer);

 private:
  struct Kind {
    Counter* counter = nullptr;
    int64_t logged_us = 0;
    uint64_t unlogged = 0;
    bool ever_logged = false;
  };
  std::array<Kind, refusal_kinds> kinds_;
};

}  // namespace moldau::broker
