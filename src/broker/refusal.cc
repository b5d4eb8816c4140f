#include "broker/refusal.h"

#include "base/log.h"
#include "runtime/shard.h"

namespace moldau::broker {

static constexpr int64_t log_interval_us = 60'000'000;

std::string_view refusal_kind_name(RefusalKind kind) {
  switch (kind) {
    case RefusalKind::frame_size: return "frame_size";
    case RefusalKind::tls: return "tls";
    case RefusalKind::http: return "http";
    case RefusalKind::header: return "header";
    case RefusalKind::unknown_api: return "unknown_api";
    case RefusalKind::unsupported_version: return "unsupported_version";
    case RefusalKind::malformed_request: return "malformed_request";
    case RefusalKind::memory: return "memory";
    case RefusalKind::slow: return "slow";
  }
  return "other";
}

Refusals::Refusals(MetricRegistry& metrics) {
  for (size_t i = 0; i < refusal_kinds; ++i)
    kinds_[i].counter = &metrics.counter("moldau_refused_total", "Connections closed for what they sent, by reason.",
                                         {{"reason", std::string(refusal_kind_name(static_cast<RefusalKind>(i)))}});
}

void Refusals::count(const Refusal& refusal, std::string_view peer) {
  Kind& kind = kinds_[static_cast<size_t>(refusal.kind)];
  kind.counter->add();
  const int64_t now_us = runtime::Shard::current().now_us();
  if (kind.ever_logged && now_us - kind.logged_us < log_interval_us) {
    ++kind.unlogged;
    return;
  }
  log_warning("closed a connection of {}: {}{}", peer, refusal.detail,
              kind.unlogged > 0 ? fmt::format(" ({} more of this kind since the last such line)", kind.unlogged) : "");
  kind.ever_logged = true;
  kind.logged_us = now_us;
  kind.unlogged = 0;
}

}  // namespace moldau::broker
