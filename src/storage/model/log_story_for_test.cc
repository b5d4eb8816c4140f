#include "storage/model/log_story_for_test.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/simulated/simulated_environment.h"
#include "storage/log.h"
#include "storage/partition_directory.h"

namespace moldau::storage::test {

static constexpr int64_t limit_us = 3'600'000'000;
static constexpr size_t notes_kept = 60;

LogStory::LogStory(uint64_t seed) : seed_(seed), random_(seed ^ 0x10661), world_(seed), node_(world_.add_node("node")) {
  const auto one_of = [this](std::initializer_list<int64_t> values) { return values.begin()[pick(std::ssize(values))]; };
  config_.is_compacted = pick(5) < 3;
  config_.is_deleted = !config_.is_compacted || pick(3) == 0;
  config_.segment_bytes = static_cast<uint32_t>(600 + pick(2000));
  config_.index_interval_bytes = static_cast<uint32_t>(1 + pick(400));
  config_.segment_index_bytes = static_cast<uint32_t>(one_of({96, 1024}));
  config_.retention_bytes = pick(2) == 0 ? -1 : 2'000 + pick(6'000);
  config_.retention_ms = pick(2) == 0 ? -1 : 5'000 + pick(60'000);
  config_.file_delete_delay_ms = one_of({0, 1'000, 60'000});
  config_.delete_retention_ms = one_of({0, 2'000, 20'000});
  config_.min_compaction_lag_ms = one_of({0, 0, 3'000});
  config_.flush_messages = one_of({1, 5, INT64_MAX, INT64_MAX});
  config_.timestamp_type = pick(5) == 0 ? TimestampType::log_append_time : TimestampType::create_time;
  config_.timestamp_after_max_ms = INT64_MAX;
  replay_limit_bytes_ = static_cast<uint64_t>(one_of({300, 3'000, 2 << 20}));
  for (int64_t& weight : weights_) weight = one_of({0, 1, 1, 2, 4});
  fills_disk_ = pick(4) == 0;
}

void LogStory::note(std::string what) {
  if (notes_.size() == notes_kept) notes_.erase(notes_.begin());
  notes_.push_back(fmt::format("step {} (life {}): {}", steps_, life_, what));
}

std::string LogStory::describe() const {
  std::string text = fmt::format("seed {}, step {}; to see it again: MOLDAU_LOG_MODEL={} build/release/src/storage_test --gtest_filter='LogModel*'\n",
                                 seed_, steps_, seed_);
  for (const std::string& note : notes_) text += note + "\n";
  return text;
}

LogOptions LogStory::options_of(int directory, const std::string& name) {
  LogOptions options;
  options.environment = environment_;
  options.open_files = open_files_;
  options.health = std::make_shared<DirectoryHealth>(directory == 0 ? "/a" : "/b");
  options.directory = options.health->path() + "/" + name;
  options.topic = "t";
  options.topic_id = Uuid{1, 2};
  options.config = config_;
  options.producers = {.producer_id_expiration_ms = INT64_MAX, .verify_transactions = false};
  options.recovery_point = checkpoints_[directory].recovery_point;
  options.log_start_offset = checkpoints_[directory].log_start;
  options.had_clean_shutdown = last_end_ == End::stop && life_ > 1;
  options.had_failed_flush = last_end_ == End::kill && has_failed_[static_cast<size_t>(directory)];
  options.was_only_killed = last_end_ == End::kill && pick(3) != 0;
  options.replay_limit_bytes = replay_limit_bytes_;
  return options;
}

// The frames of a process that is cut off stay as they are, and what they own with them.
task<void> LogStory::be_a_process(Environment& environment, int steps) {
  OpenFiles open_files(environment.files(), 64);
  environment_ = &environment;
  open_files_ = &open_files;
  for (const char* directory : {"/a", "/b"}) (void)co_await runtime::make_directories(environment.files(), directory);
  co_await open();
  if (log_ == nullptr) co_return;  // which is a failure
  for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
    is_in_last_step_ = i + 1 == steps;
    // Each operation in a turn of its own, so that the process can end behind any of them.
    if (is_in_last_step_ && is_cut_in_step_) {
      node_.disk_faults.later = 1;
      co_await runtime::yield();
    }
    ++steps_;
    co_await step();
    under_way_ = {};
    if (!testing::Test::HasFailure()) co_await check();
  }
  if (is_to_fail_ && !testing::Test::HasFailure()) co_await fail();
  is_idle_ = true;
  if (coming_end_ != End::stop || testing::Test::HasFailure()) co_await runtime::sleep_ms(limit_us);
  for (const auto& log : {log_, copy_}) {
    if (log == nullptr) continue;
    EXPECT_TRUE(co_await log->flush());
    EXPECT_TRUE(co_await log->close());
  }
  write_checkpoint();
  log_ = copy_ = nullptr;
}

void LogStory::end_process() {
  if (is_cut_in_step_ && !is_idle_)
    for (int64_t events = pick(pick(2) == 0 ? 20 : 200); events > 0 && !is_idle_; --events) world_.step();
  if (log_ == nullptr) return;
  has_failed_ = {};
  for (const auto& log : {log_, copy_})
    if (log != nullptr && log->is_offline()) has_failed_[log->log_dir() == "/a" ? 0 : 1] = true;
  // What was promised up to this very moment.
  durable_ = std::max(durable_, log_->durable_end_offset());
  note(coming_end_ == End::kill ? "kill" : fmt::format("power cut, durable {}", durable_));
  if (coming_end_ == End::kill)
    world_.kill(node_);
  else
    world_.crash(node_);
  node_.disk.capacity_bytes = UINT64_MAX;
  // Nothing of that process runs again, not even a destructor.
  static auto* const ended = new std::vector<std::shared_ptr<Log>>;
  for (auto* log : {&log_, &copy_})
    if (*log != nullptr) ended->push_back(std::move(*log));
  if (pick(4) == 0)
    for (const std::string& file : node_.disk.files()) {
      if (!file.ends_with(".snapshot")) continue;
      node_.disk.remove(file);
      node_.disk.sync_directory(file.substr(0, file.rfind('/')));
    }
}

void LogStory::live(int steps) {
  while (steps_ < steps && !testing::Test::HasFailure()) {
    ++life_;
    coming_end_ = std::array{End::stop, End::kill, End::power_cut}[static_cast<size_t>(pick(3))];
    is_cut_in_step_ = coming_end_ != End::stop && pick(3) != 0;
    is_to_fail_ = coming_end_ != End::stop && pick(4) == 0;
    is_idle_ = is_in_last_step_ = false;
    node_.disk_faults = {.later = pick(3) == 0 ? 0.3 : 0, .latency_us_max = 50, .slow = 0, .written_back = pick(4) == 0 ? 0.3 : 0};
    const int steps_of_life = 1 + static_cast<int>(pick(pick(2) == 0 ? 10 : 80));
    world_.boot(node_, [this, steps_of_life](Environment& environment) { return be_a_process(environment, steps_of_life); });
    const auto is_over = [this] {
      if (!node_.is_running() || testing::Test::HasFailure()) return true;
      return coming_end_ != End::stop && (is_idle_ || (is_in_last_step_ && is_cut_in_step_));
    };
    EXPECT_TRUE(world_.run_until(is_over, limit_us));
    if (node_.is_running()) end_process();
    last_end_ = coming_end_;
  }
  if (testing::Test::HasFailure()) ADD_FAILURE() << describe();
}

}  // namespace moldau::storage::test
