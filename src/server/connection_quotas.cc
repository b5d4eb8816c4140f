#include "server/connection_quotas.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace moldau::server {

// Kafka measures over quota.window.num = 11 windows of a second, of which ten are full.
static constexpr double burst_s = 10;
static constexpr int64_t forever_us = 1'000'000;  // for a rate of 0: look again, it may have been changed

void ConnectionQuotas::Allowance::refill(int32_t rate_per_s, int64_t now_us) {
  const double most = std::max(rate_per_s * burst_s, 1.0);
  const double gained = counted_us == INT64_MIN ? most : static_cast<double>(now_us - counted_us) / 1e6 * rate_per_s;
  ready = std::min(most, ready + gained);
  counted_us = now_us;
}

int64_t ConnectionQuotas::Allowance::wait_us(int32_t rate_per_s) const {
  if (rate_per_s <= 0) return forever_us;
  if (ready >= 1) return 0;
  return static_cast<int64_t>(std::ceil((1 - ready) * 1e6 / rate_per_s));
}

void ConnectionQuotas::set_limits(ConnectionLimits limits) {
  MOLDAU_ASSERT(limits.listeners.size() == listeners_.size());
  limits_ = std::move(limits);
}

bool ConnectionQuotas::is_protected(size_t listener) const {
  return limits_.listeners[listener].is_protected && listeners_.size() > 1;
}

ConnectionQuotas::Wait ConnectionQuotas::wait(size_t listener, int64_t now_us) {
  const ConnectionLimits::OfListener& limits = limits_.listeners[listener];
  if (listeners_[listener].open >= limits.max_connections) return {.bound = Bound::listener};
  if (!is_protected(listener) && total_ >= limits_.max_connections) return {.bound = Bound::node};
  int64_t for_us = 0;
  if (limits.max_creation_rate_per_s != no_limit) {
    listeners_[listener].allowance.refill(limits.max_creation_rate_per_s, now_us);
    for_us = listeners_[listener].allowance.wait_us(limits.max_creation_rate_per_s);
  }
  if (limits_.max_creation_rate_per_s != no_limit && !is_protected(listener)) {
    allowance_.refill(limits_.max_creation_rate_per_s, now_us);
    for_us = std::max(for_us, allowance_.wait_us(limits_.max_creation_rate_per_s));
  }
  return {.bound = for_us > 0 ? Bound::rate : Bound::none, .for_us = for_us};
}

bool ConnectionQuotas::admit(size_t listener, std::string_view host, int64_t now_us) {
  const ConnectionLimits::OfListener& limits = limits_.listeners[listener];
  if (limits.max_creation_rate_per_s != no_limit) {
    listeners_[listener].allowance.refill(limits.max_creation_rate_per_s, now_us);
    listeners_[listener].allowance.ready -= 1;
  }
  if (limits_.max_creation_rate_per_s != no_limit && !is_protected(listener)) {
    allowance_.refill(limits_.max_creation_rate_per_s, now_us);
    allowance_.ready -= 1;
  }
  const auto own = limits_.max_connections_per_ip_overrides.find(host);
  const int32_t most = own == limits_.max_connections_per_ip_overrides.end() ? limits_.max_connections_per_ip : own->second;
  const auto at = by_host_.find(host);
  if ((at == by_host_.end() ? 0 : at->second) >= most) return false;
  if (at == by_host_.end())
    by_host_.emplace(host, 1);
  else
    ++at->second;
  ++listeners_[listener].open;
  ++total_;
  return true;
}

void ConnectionQuotas::release(size_t listener, std::string_view host) {
  const auto at = by_host_.find(host);
  MOLDAU_ASSERT(at != by_host_.end() && total_ > 0 && listeners_[listener].open > 0);
  if (--at->second == 0) by_host_.erase(at);
  --listeners_[listener].open;
  --total_;
}

}  // namespace moldau::server
