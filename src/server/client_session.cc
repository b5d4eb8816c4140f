#include "server/client_session.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/broker_shard.h"

namespace moldau::server {

using runtime::task;

static constexpr int64_t memory_wait_us = 30'000'000;
static constexpr int64_t least_bytes_per_s = 16 << 10;  // of a request on its way
static constexpr size_t max_parts_in_a_write = 256;

ClientSession::ClientSession(broker::Broker& broker, broker::BrokerShard& shard,
                             std::unique_ptr<runtime::Connection> connection, std::string listener_name,
                             MemoryBudget& budget, const SessionLimits& limits, SessionCounters& counters)
    : broker_(broker),
      shard_(shard),
      connection_(std::move(connection)),
      budget_(budget),
      limits_(limits),
      counters_(counters),
      buffer_(budget, limits.max_frame_bytes) {
  client_.peer = connection_->peer();
  client_.local = connection_->local();
  client_.listener_name = std::move(listener_name);
  client_.role = broker.role_of(client_.listener_name);
  client_.software_name = client_.software_version = "unknown";
  client_.watch = std::make_shared<broker::ConnectionWatch>();
}

task<void> ClientSession::run() {
  last_activity_us_ = runtime::Shard::current().now_us();
  arm_idle_timer();
  runtime::Scope halves;
  halves.spawn(read_requests());
  halves.spawn(write_answers());
  co_await halves.join();
  co_await requests_.join();
  for (const runtime::TimerId timer : {idle_timer_, receive_timer_})
    if (timer != runtime::no_timer) runtime::Shard::current().cancel(timer);
}

void ClientSession::close(std::string_view reason) {
  if (closed_) return;
  closed_ = true;
  reading_ = false;
  log_debug("closing the connection of {}: {}", client_.peer.to_string(), reason);
  client_.watch->close();
  connection_->close();
  changed_.notify_all();
  answers_.notify_all();
}

void ClientSession::refuse(broker::Refusal refusal) {
  if (closed_) return;
  shard_.refusals.count(refusal, client_.peer.host);
  close(refusal.detail);
}

void ClientSession::arm_idle_timer() {
  if (limits_.idle_ms <= 0) return;
  runtime::Shard& shard = runtime::Shard::current();
  idle_timer_ = shard.call_at(last_activity_us_ + limits_.idle_ms * 1000, [this] {
    idle_timer_ = runtime::no_timer;
    if (closed_) return;
    const bool idle = runtime::Shard::current().now_us() - last_activity_us_ >= limits_.idle_ms * 1000;
    if (idle && under_way_ == 0) return close("idle");
    if (idle) last_activity_us_ = runtime::Shard::current().now_us();
    arm_idle_timer();
  });
}

// Remembers since when a frame has been on its way. The timer is set once and looks again when it fires, so that whole
// requests in a row cost none.
void ClientSession::note_incomplete_frame() {
  if (buffer_.pending_bytes() == 0) {
    frame_began_us_ = -1;
    return;
  }
  if (frame_began_us_ >= 0 || limits_.receive_timeout_ms <= 0) return;
  frame_began_us_ = runtime::Shard::current().now_us();
  if (receive_timer_ == runtime::no_timer) arm_receive_timer(frame_began_us_ + limits_.receive_timeout_ms * 1000);
}

void ClientSession::arm_receive_timer(int64_t at_us) {
  receive_timer_ = runtime::Shard::current().call_at(at_us, [this] {
    receive_timer_ = runtime::no_timer;
    if (closed_ || frame_began_us_ < 0) return;
    // What has come buys time, what was announced does not.
    const auto come_bytes = static_cast<int64_t>(buffer_.pending_bytes());
    const int64_t deadline_us = frame_began_us_ + limits_.receive_timeout_ms * 1000 + come_bytes * 1'000'000 / least_bytes_per_s;
    if (runtime::Shard::current().now_us() < deadline_us) return arm_receive_timer(deadline_us);
    refuse({broker::RefusalKind::slow, fmt::format("a request arrives too slowly: {} of its {} bytes are there", come_bytes, buffer_.next_frame_bytes())});
  });
}

// Waits until there is room for a large block; false if the connection was closed instead.
task<bool> ClientSession::wait_for_memory() {
  counters_.memory_waits->add();
  const int64_t began_us = runtime::Shard::current().now_us();
  bool room = true;
  while (!closed_ && !budget_.has_room() && room) room = co_await budget_.freed.wait_until(began_us + memory_wait_us);
  if (!room) refuse({broker::RefusalKind::memory, "no memory for a large request"});
  // The time was ours, not the client's.
  if (frame_began_us_ >= 0) frame_began_us_ += runtime::Shard::current().now_us() - began_us;
  co_return !closed_;
}

// What arrived in place of a frame, by its first bytes, so that the log can say it.
static broker::Refusal describe_stranger(ByteView bytes, FrameFault fault, uint32_t max_frame_bytes) {
  using broker::RefusalKind;
  const std::string_view text = as_text(bytes);
  if (text.starts_with("\x16\x03")) return {RefusalKind::tls, "TLS on a plaintext listener"};
  for (const std::string_view method : {"GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE"})
    if (text.starts_with(method)) return {RefusalKind::http, "HTTP on a Kafka listener"};
  const auto size = load_be<int32_t>(bytes.data());
  if (fault == FrameFault::negative_size) return {RefusalKind::frame_size, fmt::format("frame of {} bytes", size)};
  return {RefusalKind::frame_size,
          fmt::format("frame of {} bytes, more than socket.request.max.bytes = {}", size, max_frame_bytes)};
}

task<bool> ClientSession::wait_for_turn(bool overlaps) {
  while (!closed_) {
    const bool alone = overlaps ? exclusive_ == 0 : under_way_ == 0;
    if (alone && slots_.size() < limits_.max_requests_under_way && answer_bytes_ <= limits_.max_answer_bytes_waiting)
      co_return true;
    co_await changed_.wait();
  }
  co_return false;
}

task<void> ClientSession::read_requests() {
  while (!closed_) {
    auto next = buffer_.next();
    if (!next) {
      refuse(describe_stranger(buffer_.pending(), next.error(), limits_.max_frame_bytes));
      break;
    }
    if (next->has_value()) {
      frame_began_us_ = -1;
      const bool overlaps = broker::may_overlap((*next)->bytes);
      if (!co_await wait_for_turn(overlaps)) break;
      Slot& slot = slots_.emplace_back();
      slot.overlaps = overlaps;
      ++under_way_;
      if (!overlaps) ++exclusive_;
      requests_.spawn(serve(std::move(**next), slot));
      continue;
    }
    note_incomplete_frame();
    if (buffer_.wants_large_block() && !budget_.has_room() && !co_await wait_for_memory()) break;
    const MutableByteView space = buffer_.space();
    const auto read = co_await connection_->read(space);
    if (!read || *read == 0) {
      close(read ? "the client closed it" : "read failed");
      break;
    }
    buffer_.filled(*read);
    counters_.memory_used_bytes->set(static_cast<int64_t>(budget_.used_bytes));
    counters_.bytes_in->add(*read);
    last_activity_us_ = runtime::Shard::current().now_us();
  }
  reading_ = false;
  answers_.notify_all();
}

task<void> ClientSession::serve(Frame frame, Slot& slot) {
  const ByteView bytes = frame.bytes;
  slot.reply = co_await broker::serve_request(broker_, shard_, client_, bytes, std::move(frame.owner));
  slot.finished = true;
  --under_way_;
  if (!slot.overlaps) --exclusive_;
  answer_bytes_ += slot.reply.frame.size();
  changed_.notify_all();
  answers_.notify_all();
}

task<void> ClientSession::write_answers() {
  std::vector<runtime::OutputPart> parts;
  while (true) {
    while (!closed_ && (slots_.empty() || !slots_.front().finished)) co_await answers_.wait();
    if (closed_) break;
    parts.clear();
    size_t sent = 0;
    size_t sent_bytes = 0;
    size_t sent_range_bytes = 0;
    bool closes = false;
    for (Slot& slot : slots_) {
      if (!slot.finished || parts.size() >= max_parts_in_a_write) break;
      if (slot.reply.refusal) break;
      ++sent;
      ByteView rest = slot.reply.frame;
      sent_bytes += rest.size();
      size_t done = 0;
      for (const broker::Reply::FileRange& range : slot.reply.ranges) {
        parts.push_back({.bytes = rest.first(range.after_bytes - done)});
        rest = rest.subspan(range.after_bytes - done);
        done = range.after_bytes;
        parts.push_back({.file = range.file, .file_position = range.position, .file_size_bytes = range.size_bytes});
        sent_range_bytes += range.size_bytes;
      }
      if (!rest.empty()) parts.push_back({.bytes = rest});
      closes = slot.reply.closes;
      if (closes) break;
    }
    if (!parts.empty()) {
      const auto written = co_await connection_->write(parts);
      if (!written) {
        close("write failed");
        break;
      }
    }
    counters_.bytes_out->add(sent_bytes + sent_range_bytes);
    answer_bytes_ -= sent_bytes;
    slots_.erase(slots_.begin(), slots_.begin() + static_cast<ptrdiff_t>(sent));
    last_activity_us_ = runtime::Shard::current().now_us();
    changed_.notify_all();
    if (closes) {
      close("a request without an answer failed");
      break;
    }
    if (!slots_.empty() && slots_.front().finished && slots_.front().reply.refusal) {
      refuse(*slots_.front().reply.refusal);
      break;
    }
  }
}

}  // namespace moldau::server
