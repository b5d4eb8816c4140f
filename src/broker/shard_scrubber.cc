#include "broker/shard_scrubber.h"

#include <algorithm>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/partition.h"
#include "storage/segment_examination.h"

namespace moldau::broker {

using runtime::task;

static constexpr uint32_t block_bytes = 256 * 1024;

ShardScrubber::ShardScrubber(BrokerShard& shard, IoThrottle& throttle)
    : shard_(shard),
      throttle_(throttle),
      last_pass_ms_(shard.broker.wall_clock_ms()),
      bytes_(&shard.metrics.counter("moldau_scrub_verified_bytes_total", "Bytes of segments that the scrubber has verified.")),
      segments_(&shard.metrics.counter("moldau_scrub_verified_segments_total", "Segments that the scrubber has verified.")) {}

void ShardScrubber::start() { work_.spawn(run()); }

task<void> ShardScrubber::stop() {
  stopping_ = true;
  changed_.notify_all();
  co_await work_.join();
}

void ShardScrubber::take_settings(ScrubSettings settings) {
  settings_ = settings;
  changed_.notify_all();
}

task<void> ShardScrubber::run() {
  const auto is_on = [this] { return !stopping_ && settings_.bytes_per_second > 0; };
  while (!stopping_) {
    if (!is_on()) {
      (void)co_await changed_.wait();
      continue;
    }
    const int64_t began_us = shard_.shard.now_us();
    if (!co_await pass()) continue;
    last_pass_ms_ = shard_.broker.wall_clock_ms();
    while (is_on()) {
      const int64_t due_us = began_us + std::clamp<int64_t>(settings_.interval_ms, 1000, INT64_MAX / 4000) * 1000;
      if (shard_.shard.now_us() >= due_us) break;
      (void)co_await changed_.wait_until(due_us);
    }
  }
}

task<bool> ShardScrubber::pass() {
  struct Place {
    PartitionKey key;
    Offset after = no_offset;
  };
  std::vector<Place> places;
  for (const auto& [key, partition] : shard_.partitions) places.push_back({key});
  if (places.empty()) co_return true;
  const auto first = static_cast<uint64_t>(shard_.broker.wall_clock_ms()) % places.size();
  std::ranges::rotate(places, places.begin() + static_cast<ptrdiff_t>(first));
  while (!places.empty()) {
    std::vector<Place> left;
    for (const Place& place : places) {
      const auto reached = co_await scrub_next(place.key, place.after);
      if (stopping_ || settings_.bytes_per_second <= 0) co_return false;
      if (reached) left.push_back({place.key, *reached});
      co_await runtime::yield();
    }
    places = std::move(left);
  }
  co_return true;
}

task<std::optional<Offset>> ShardScrubber::scrub_next(PartitionKey key, Offset after) {
  const Partition* partition = shard_.find(key.topic_id, key.partition);
  if (partition == nullptr) co_return std::nullopt;
  const std::shared_ptr<storage::Log> log = partition->shared_log();
  if (log->is_offline()) co_return std::nullopt;
  const auto segments = log->segments_between(std::max(after + 1, Offset(0)), log->active_base_offset());
  const auto next = std::ranges::find_if(segments, [after](const storage::SegmentPtr& segment) { return segment->base_offset() > after; });
  if (next == segments.end()) co_return std::nullopt;
  const storage::SegmentPtr segment = *next;
  storage::ExaminationTerms terms;
  terms.block_bytes = block_bytes;
  terms.leaves_cache = true;
  terms.should_stop = [this] { return must_stop(); };
  terms.throttle = [this](uint64_t bytes) { return wait_for_io(bytes); };
  current_ = key;
  const auto examined = co_await log->examine(segment, terms);
  const bool was_asked_to_leave = asked_to_leave_;
  current_.reset();
  asked_to_leave_ = false;
  changed_.notify_all();
  if (was_asked_to_leave) co_return std::nullopt;
  if (!examined) {
    log_error("{}-{}: the segment of offset {} was not verified: {}", log->topic(), log->partition(), segment->base_offset(),
              examined.error().message);
  } else if (*examined) {
    bytes_->add(segment->size_bytes());
    segments_->add();
  }
  co_return segment->base_offset();
}

task<void> ShardScrubber::wait_for_io(uint64_t bytes) {
  const int64_t until_us = throttle_.take(bytes, shard_.shard.now_us());
  while (!must_stop() && shard_.shard.now_us() < until_us) (void)co_await changed_.wait_until(until_us);
}

task<void> ShardScrubber::release(PartitionKey key) {
  while (current_ && *current_ == key) {
    asked_to_leave_ = true;
    changed_.notify_all();
    (void)co_await changed_.wait();
  }
}

}  // namespace moldau::broker
