// Does the same on several shards at once and waits for all of them: one message to each, one back.
#pragma once

#include <functional>
#include <vector>

#include "broker/broker.h"
#include "runtime/scope.h"

namespace moldau::broker {

// Runs `work(shard)` on every shard for which `wanted(index)` holds. `work` returns task<void> and may be called on
// several threads at once; it must write only to places of its own shard.
template <class Wanted, class Work>
runtime::task<void> gather(Broker& broker, Wanted wanted, Work work) {
  runtime::Scope scope;
  for (size_t index = 0; index < broker.shards.size(); ++index) {
    if (!wanted(index)) continue;
    BrokerShard& shard = *broker.shards[index];
    scope.spawn(runtime::call_on(shard.shard, [&work, &shard] { return work(shard); }));
  }
  co_await scope.join();
}

template <class Work>
runtime::task<void> gather_all(Broker& broker, Work work) {
  co_await gather(broker, [](size_t) { return true; }, std::move(work));
}

}  // namespace moldau::broker
