// A coordinator shard with a clock, a log and clients, for tests: requests are answered at once or later, appends commit
// at once unless held back, and a restart replays the log. Used by tests and the fuzzer only.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/log.h"
#include "groups/coordinator_shard.h"

namespace moldau::groups {

struct LoggedRecord {
  CoordinatorRecord record;
  int64_t producer_id = -1;
};

class TestWorld {
 public:
  explicit TestWorld(GroupConfig config = {}) : config_(config) {
    set_log_level(LogLevel::off);
    restart();
  }

  // Forgets the shard and replays what the log holds.
  void restart() {
    shard_ = std::make_unique<CoordinatorShard>(config_, [this] { return random_ += 0x9E37'79B9'7F4A'7C15; });
    answers_.clear();
    held_.clear();
    for (const LoggedRecord& one : log) replay_into(*shard_, one);
    take(shard_->finish_loading(now_ms));
  }
  static void replay_into(CoordinatorShard& shard, const LoggedRecord& one) {
    const auto value = one.record.value ? std::optional<ByteView>(*one.record.value) : std::nullopt;
    shard.replay(one.record.key, value, one.producer_id);
  }

  // Sends a request; its token stands for the answer, which may come later.
  ReplyToken send(const Request& request, int16_t version, const std::string& client = "client") {
    const Call call{++last_token_, version, client, "/127.0.0.1"};
    take(shard_->step(call, request, now_ms));
    return call.token;
  }
  [[nodiscard]] bool answered(ReplyToken token) const { return answers_.contains(token); }
  template <class Wanted>
  Wanted answer(ReplyToken token) {
    const auto at = answers_.find(token);
    if (at == answers_.end()) throw std::logic_error("the request is still unanswered");  // fails that test alone
    Wanted wanted = std::get<Wanted>(at->second);
    answers_.erase(at);
    return wanted;
  }
  template <class Wanted>
  const Wanted& peek(ReplyToken token) const {
    return std::get<Wanted>(answers_.at(token));
  }
  template <class Wanted>
  Wanted ask(const Request& request, int16_t version, const std::string& client = "client") {
    return answer<Wanted>(send(request, version, client));
  }

  // Time passes, deadline by deadline.
  void advance(int64_t by_ms) {
    const int64_t until = now_ms + by_ms;
    while (shard_->next_deadline() && *shard_->next_deadline() <= until) {
      now_ms = std::max(now_ms, *shard_->next_deadline());
      take(shard_->tick(now_ms));
    }
    now_ms = until;
  }

  // While held, appends wait for commit(), fail() or time_out(), oldest first.
  void hold() { is_holding_ = true; }
  void release() {
    is_holding_ = false;
    while (!held_.empty()) commit();
  }
  void release_hold_without_writing() {
    is_holding_ = false;
    held_.clear();
  }
  [[nodiscard]] std::size_t held() const { return held_.size(); }
  void commit() {
    const Append append = next_held();
    write(append);
    take(shard_->on_committed(append.id, now_ms));
  }
  void fail(ErrorCode error) { take(shard_->on_append_failed(next_held().id, error, now_ms)); }
  void time_out() { take(shard_->on_commit_timed_out(held_.front().id, now_ms)); }

  void take(Output output) {
    for (Reply& reply : output.replies) {
      const bool is_first = answers_.emplace(reply.token, std::move(reply.response)).second;
      MOLDAU_ASSERT_MSG(is_first, "a request is answered once");
    }
    for (Append& append : output.appends) {
      if (is_holding_) {
        held_.push_back(std::move(append));
      } else {
        write(append);
        take(shard_->on_committed(append.id, now_ms));
      }
    }
  }
  CoordinatorShard& shard() { return *shard_; }
  [[nodiscard]] std::size_t unclaimed_answers() const { return answers_.size(); }
  void forget_answers() { answers_.clear(); }

  int64_t now_ms = 1'750'000'000'000;
  std::vector<LoggedRecord> log;

 private:
  Append next_held() {
    MOLDAU_ASSERT(!held_.empty());
    Append append = std::move(held_.front());
    held_.pop_front();
    return append;
  }
  void write(const Append& append) {
    for (const CoordinatorRecord& record : append.records) log.push_back({record, -1});
  }

  GroupConfig config_;
  std::unique_ptr<CoordinatorShard> shard_;
  std::map<ReplyToken, Response> answers_;
  std::deque<Append> held_;
  bool is_holding_ = false;
  ReplyToken last_token_ = 0;
  uint64_t random_ = 1;
};

}  // namespace moldau::groups
