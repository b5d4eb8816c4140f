#include "broker/request.h"

#include <algorithm>

#include "base/assert.h"

namespace moldau::broker {

void ConnectionWatch::on_close(const void* key, std::function<void()> hook) {
  MOLDAU_ASSERT(!closed_);
  hooks_.emplace_back(key, std::move(hook));
}

void ConnectionWatch::remove(const void* key) {
  std::erase_if(hooks_, [key](const auto& hook) { return hook.first == key; });
}

void ConnectionWatch::close() {
  if (closed_) return;
  closed_ = true;
  const auto hooks = std::move(hooks_);
  hooks_.clear();
  for (const auto& [key, hook] : hooks) hook();
}

}  // namespace moldau::broker
