#include "runtime/shard.h"

namespace moldau::runtime {

namespace {
thread_local Shard* current_shard = nullptr;
}

Shard& Shard::current() {
  MOLDAU_ASSERT_MSG(current_shard != nullptr, "called outside a shard");
  return *current_shard;
}
Shard* Shard::current_or_null() { return current_shard; }
void Shard::set_current(Shard* shard) { current_shard = shard; }

}  // namespace moldau::runtime
