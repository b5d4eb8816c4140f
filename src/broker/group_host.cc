#include "broker/group_host.h"

#include "base/log.h"
#include "broker/coordinator_records.h"

namespace moldau::broker {

using runtime::task;

GroupHost::GroupHost(runtime::Environment& environment, const groups::GroupConfig& config, Partition& partition)
    : environment_(environment),
      partition_(partition),
      started_ms_(partition.log().expiry_now_ms()),
      started_us_(runtime::Shard::current().now_us()),
      coordinator_(config, [&environment] { return environment.random(); }) {}

int64_t GroupHost::now_ms() const { return started_ms_ + (runtime::Shard::current().now_us() - started_us_) / 1000; }

GroupHost::~GroupHost() {
  MOLDAU_ASSERT(waiting_.empty());
  if (timer_ != runtime::no_timer) runtime::Shard::current().cancel(timer_);
}

task<void> GroupHost::load() {
  const int64_t started_us = runtime::Shard::current().now_us();
  const auto loaded = co_await replay_coordinator_records(partition_, coordinator_);
  if (!loaded) {
    log_error("cannot load the groups of {}-{}: {}", partition_.topic(), partition_.index(), loaded.error().message);
    co_return;
  }
  if (stopped_) co_return;
  loaded_ = true;
  take(coordinator_.finish_loading(now_ms()));
  const int64_t took_ms = (runtime::Shard::current().now_us() - started_us) / 1000;
  if (*loaded > 0) log_info("loaded {} records of {}-{} in {} ms", *loaded, partition_.topic(), partition_.index(), took_ms);
}

task<groups::Response> GroupHost::ask(groups::Call call, groups::Request request) {
  MOLDAU_ASSERT(!stopped_);
  call.token = next_token_++;
  Waiter waiter;
  waiting_.emplace(call.token, &waiter);
  take(coordinator_.step(call, request, now_ms()));
  while (!waiter.response) co_await waiter.answered.wait();
  co_return std::move(*waiter.response);
}

task<void> GroupHost::stop() {
  stopped_ = true;
  take(coordinator_.unload());
  co_await background_.join();
}

void GroupHost::topics_deleted(std::span<const groups::DeletedTopic> topics) {
  take(coordinator_.on_topics_deleted(topics, now_ms()));
}

void GroupHost::take(groups::Output output) {
  for (groups::Reply& reply : output.replies) {
    const auto waiter = waiting_.find(reply.token);
    MOLDAU_ASSERT_MSG(waiter != waiting_.end(), "the coordinator answered a request twice");
    waiter->second->response = std::move(reply.response);
    waiter->second->answered.notify_all();
    waiting_.erase(waiter);
  }
  for (groups::Append& append : output.appends) to_append_.push_back(std::move(append));
  if (!to_append_.empty() && !appending_) {
    appending_ = true;
    background_.spawn(append_all());
  }
  arm_timer();
}

task<void> GroupHost::append_all() {
  while (!to_append_.empty()) {
    const groups::Append append = std::move(to_append_.front());
    to_append_.pop_front();
    // The log compares a record's time with the wall clock, which may have been put back since the host was made.
    const protocol::ErrorCode error =
        co_await append_coordinator_records(partition_, append.records, environment_.wall_clock_ms());
    take(error == protocol::ErrorCode::none ? coordinator_.on_committed(append.id, now_ms())
                                            : coordinator_.on_append_failed(append.id, error, now_ms()));
  }
  appending_ = false;
}

void GroupHost::arm_timer() {
  runtime::Shard& shard = runtime::Shard::current();
  const std::optional<int64_t> deadline_ms = stopped_ ? std::nullopt : coordinator_.next_deadline();
  if (timer_ != runtime::no_timer && deadline_ms && *deadline_ms >= timer_deadline_ms_) return;  // it will look again
  if (timer_ != runtime::no_timer) shard.cancel(std::exchange(timer_, runtime::no_timer));
  if (!deadline_ms) return;
  timer_deadline_ms_ = *deadline_ms;
  const int64_t wait_ms = std::max<int64_t>(*deadline_ms - now_ms(), 0);
  timer_ = shard.call_at(shard.now_us() + wait_ms * 1000, [this] {
    timer_ = runtime::no_timer;
    take(coordinator_.tick(now_ms()));
  });
}

}  // namespace moldau::broker
