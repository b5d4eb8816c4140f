#include "runtime/simulated/wire.h"

#include <algorithm>
#include <cerrno>

#include "base/crc32c.h"
#include "runtime/simulated/simulated_environment.h"
#include "runtime/simulated/simulated_network.h"

namespace moldau::runtime::simulated {

int64_t Wire::choose_latency() {
  Random& random = world_.random();
  if (random.chance(faults.slow)) return random.between(faults.latency_us_min, faults.slow_us_max);
  return random.between(faults.latency_us_min, faults.latency_us_max);
}

void Wire::wake(Side& side, std::coroutine_handle<>& waiter) {
  if (!waiter) return;
  MOLDAU_ASSERT(world_.environment_of(side.life) != nullptr);
  side.shard->resume_soon(std::exchange(waiter, {}));
}

void Wire::heal() {
  blocked_.clear();
  for (const auto& [id, link] : links_)
    for (const int side : {0, 1})
      if (!link->sides[static_cast<size_t>(side)].coming.empty()) schedule_pump(link, side, choose_latency());
}

int Wire::listen(std::shared_ptr<ListenerState> listener) {
  if (listener->address.port == 0) listener->address.port = next_port_++;
  auto& entry = listeners_[{listener->address.host, listener->address.port}];
  if (entry) return EADDRINUSE;
  entry = std::move(listener);
  return 0;
}

void Wire::unlisten(ListenerState& listener) {
  if (std::exchange(listener.closed, true)) return;
  listeners_.erase({listener.address.host, listener.address.port});
}

std::shared_ptr<ListenerState> Wire::listener_at(const Address& address) const {
  const auto found = listeners_.find({address.host, address.port});
  return found == listeners_.end() ? nullptr : found->second;
}

LinkPtr Wire::connect(uint64_t client_life, SimulatedShard& client_shard, const std::string& client_host, ListenerState& listener) {
  SimulatedEnvironment* const server = world_.environment_of(listener.life);
  MOLDAU_ASSERT(server != nullptr);
  const auto& shards = server->simulated_shards();
  const size_t serving = server->shards().size();  // the quorum's takes none
  const auto link = std::make_shared<Link>();
  link->id = next_link_++;
  const Address client_address{client_host, next_port_++};
  if (next_port_ < 40'000) next_port_ = 40'000;
  link->sides[0].local = link->sides[1].peer = client_address;
  link->sides[0].peer = link->sides[1].local = listener.address;
  link->sides[0].life = client_life;
  link->sides[0].shard = &client_shard;
  link->sides[1].life = listener.life;
  link->sides[1].shard = shards[listener.next_shard++ % serving].get();
  links_[link->id] = link;
  return link;
}

void Wire::schedule_pump(const LinkPtr& link, int to_side, int64_t delay_us) {
  world_.schedule(delay_us, 0, [this, link, to_side] { pump(link, to_side); });
}

void Wire::send(const LinkPtr& link, int from_side, Bytes bytes) {
  const int to = 1 - from_side;
  Side& receiver = link->sides[static_cast<size_t>(to)];
  if (world_.random().chance(faults.reset)) break_link(link);
  if (link->is_broken) return;
  int64_t due_us = world_.now_us() + choose_latency();
  if (!receiver.coming.empty()) due_us = std::max(due_us, receiver.coming.back().due_us);
  receiver.coming_bytes += bytes.size();
  receiver.coming.push_back({due_us, std::move(bytes)});
  schedule_pump(link, to, due_us - world_.now_us());
}

void Wire::pump(const LinkPtr& link, int to_side) {
  Side& receiver = link->sides[static_cast<size_t>(to_side)];
  Side& sender = link->sides[static_cast<size_t>(1 - to_side)];
  while (!receiver.coming.empty() && receiver.coming.front().due_us <= world_.now_us()) {
    if (is_blocked(sender.local.host, receiver.local.host)) return;
    Side::Segment segment = std::move(receiver.coming.front());
    receiver.coming.pop_front();
    receiver.coming_bytes -= segment.bytes.size();
    if (receiver.error != 0) continue;
    if (receiver.closed) {
      // A system answers what comes for a connection that it no longer has with a reset.
      if (!segment.bytes.empty() && !sender.closed) schedule_reset(link, 1 - to_side, choose_latency());
      continue;
    }
    world_.trace("deliver", receiver.local.host, link->id << 1 | static_cast<uint64_t>(to_side),
                 segment.bytes.size() << 32 | crc32c(segment.bytes));
    if (segment.bytes.empty())
      receiver.ended = true;
    else
      receiver.arrived.insert(receiver.arrived.end(), segment.bytes.begin(), segment.bytes.end());
    wake(receiver, receiver.reader);
  }
}

void Wire::tell_room(const LinkPtr& link, int side) {
  const int peer = 1 - side;
  if (!link->sides[static_cast<size_t>(peer)].writer) return;
  world_.schedule(choose_latency(), 0, [this, link, peer] {
    Side& sender = link->sides[static_cast<size_t>(peer)];
    wake(sender, sender.writer);
  });
}

void Wire::schedule_reset(const LinkPtr& link, int side, int64_t delay_us) {
  world_.schedule(delay_us, 0, [this, link, side] {
    Side& struck = link->sides[static_cast<size_t>(side)];
    if (struck.closed || struck.error != 0) return;
    world_.trace("reset", struck.local.host, link->id);
    struck.error = ECONNRESET;
    struck.coming.clear();
    struck.coming_bytes = 0;
    if (world_.random().chance(0.5)) {  // what had come and was not read may go with it
      struck.arrived.clear();
      struck.taken = 0;
    }
    wake(struck, struck.reader);
    wake(struck, struck.writer);
  });
}

void Wire::break_link(const LinkPtr& link) {
  link->is_broken = true;
  for (const int side : {0, 1}) {
    Side& receiver = link->sides[static_cast<size_t>(side)];
    if (!receiver.coming.empty()) {
      const size_t surviving = world_.random().below(receiver.coming.size() + 1);
      while (receiver.coming.size() > surviving) {
        receiver.coming_bytes -= receiver.coming.back().bytes.size();
        receiver.coming.pop_back();
      }
    }
    schedule_reset(link, side, choose_latency());
  }
}

int Wire::break_connections(const std::string& host) {
  int broken = 0;
  for (const auto& [id, link] : links_) {
    if (link->sides[0].local.host != host && link->sides[1].local.host != host) continue;
    break_link(link);
    ++broken;
  }
  return broken;
}

void Wire::close(const LinkPtr& link, int side) {
  Side& own = link->sides[static_cast<size_t>(side)];
  if (std::exchange(own.closed, true)) return;
  world_.trace("close", own.local.host, link->id);
  wake(own, own.reader);
  wake(own, own.writer);
  const Side& peer = link->sides[static_cast<size_t>(1 - side)];
  if (!peer.closed && peer.error == 0) {
    // Closing with unread bytes is a reset to the peer, which may cost it what it has not read either.
    if (own.unread_bytes() > 0)
      schedule_reset(link, 1 - side, choose_latency());
    else
      send(link, side, {});
  }
  own.arrived = {};
  own.taken = 0;
  if (peer.closed) links_.erase(link->id);
}

void Wire::end_of(uint64_t life) {
  for (auto it = listeners_.begin(); it != listeners_.end();) {
    if (it->second->life == life) {
      it->second->closed = true;
      it = listeners_.erase(it);
    } else {
      ++it;
    }
  }
  // The peers learn at once, or after some seconds (a machine without power says nothing until it is back).
  const bool silent = world_.random().chance(0.3);
  for (auto it = links_.begin(); it != links_.end();) {
    const LinkPtr link = it->second;
    bool over = true;
    for (const int side : {0, 1}) {
      Side& own = link->sides[static_cast<size_t>(side)];
      Side& peer = link->sides[static_cast<size_t>(1 - side)];
      if (own.life != life) {
        over = over && own.closed;
        continue;
      }
      if (!own.closed && !peer.closed && peer.life != life) {
        const size_t surviving = world_.random().below(peer.coming.size() + 1);
        while (peer.coming.size() > surviving) {
          peer.coming_bytes -= peer.coming.back().bytes.size();
          peer.coming.pop_back();
        }
        schedule_reset(link, 1 - side, silent ? world_.random().between(100'000, 5'000'000) : choose_latency());
      }
      own.closed = true;
      own.reader = own.writer = {};
      own.arrived = {};
      own.taken = 0;
      own.coming.clear();
      own.coming_bytes = 0;
    }
    it = over ? links_.erase(it) : std::next(it);
  }
}

}  // namespace moldau::runtime::simulated
