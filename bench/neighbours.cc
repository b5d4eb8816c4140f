// What a partition with large compressed batches costs the partitions beside it on the same shard: how many appends the
// neighbour makes, and how long a round of all that is ready takes. With `inline` the checks run on the shard, for comparison.
//
//   moldau_neighbours FOLDER CODEC [inline]     FOLDER on a file system in memory
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/assert.h"
#include "protocol/batch_builder.h"
#include "runtime/real/environment.h"
#include "runtime/scope.h"
#include "storage/log.h"
#include "storage/open_files.h"

namespace moldau::bench {
namespace {

using runtime::task;
using storage::Log;

constexpr int64_t duration_us = 3'000'000;

// The real world, but that nothing leaves the shard.
class InlineEnvironment final : public runtime::Environment {
 public:
  explicit InlineEnvironment(Environment& real) : real_(real) {}
  [[nodiscard]] const std::vector<runtime::Shard*>& shards() const override { return real_.shards(); }
  [[nodiscard]] runtime::Shard& quorum_shard() const override { return real_.quorum_shard(); }
  [[nodiscard]] runtime::FileSystem& files() override { return real_.files(); }
  [[nodiscard]] runtime::Network& network() override { return real_.network(); }
  [[nodiscard]] int64_t wall_clock_ms() const override { return real_.wall_clock_ms(); }
  [[nodiscard]] int64_t uptime_ms() const override { return real_.uptime_ms(); }
  [[nodiscard]] std::string boot_id() const override { return real_.boot_id(); }
  [[nodiscard]] uint64_t random() override { return real_.random(); }
  task<void> run_off_shard(runtime::Job work) override {
    work();
    return runtime::ready();
  }

 private:
  Environment& real_;
};

Bytes text_batch(protocol::Codec codec, size_t bytes) {
  protocol::BatchBuilder builder({.codec = codec});
  uint64_t random = 1;
  while (builder.uncompressed_size_bytes() < bytes) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::string value = "request=" + std::to_string((random >> 40) % 100'000) + " status=200 path=/orders/list";
    builder.append(1'750'000'000'000, std::nullopt, as_bytes(value));
  }
  return builder.finish();
}

struct Counts {
  bool is_over = false;
  uint64_t large = 0;
  uint64_t small = 0;  // the neighbour's
  uint64_t long_rounds = 0;  // that worked for more than a millisecond
  int64_t longest_round_us = 0;
};

task<void> append_again_and_again(Log& log, Bytes batch, Counts& counts, bool is_neighbour) {
  while (!counts.is_over) {
    Bytes sent = batch;
    const auto answer = co_await log.append_as_leader({.records = sent, .leader_epoch = LeaderEpoch(0)});
    MOLDAU_ASSERT_MSG(answer.has_value(), answer ? "" : answer.error().message.c_str());
    ++(is_neighbour ? counts.small : counts.large);
    co_await runtime::yield();
  }
}

// In CPU time, so that other work on the machine does not count.
int64_t thread_cpu_us() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * 1'000'000 + used.tv_nsec / 1000;
}

// Comes up once in a round of all that is ready, so what the thread worked between two of its runs is a round's work.
task<void> watch_rounds(Counts& counts) {
  runtime::Shard& shard = runtime::Shard::current();
  const int64_t end_us = shard.read_clock_us() + duration_us;
  int64_t last_us = thread_cpu_us();
  while (shard.read_clock_us() < end_us) {
    co_await runtime::yield();
    const int64_t now_us = thread_cpu_us();
    counts.longest_round_us = std::max(counts.longest_round_us, now_us - last_us);
    if (now_us - last_us > 1000) ++counts.long_rounds;
    last_us = now_us;
  }
  counts.is_over = true;
}

task<void> measure(runtime::Environment& environment, std::string folder, protocol::Codec codec) {
  storage::OpenFiles open_files(environment.files(), 64);
  const auto health = std::make_shared<storage::DirectoryHealth>(folder);
  std::unique_ptr<Log> logs[2];
  for (int i = 0; i < 2; ++i) {
    storage::LogOptions options;
    options.environment = &environment;
    options.open_files = &open_files;
    options.health = health;
    options.directory = folder + "/t-" + std::to_string(i);
    options.topic = "t";
    options.partition = i;
    options.config.segment_bytes = 64 * 1024 * 1024;
    options.config.timestamp_before_max_ms = INT64_MAX;
    auto opened = co_await Log::open(std::move(options));
    MOLDAU_ASSERT(opened.has_value());
    logs[i] = std::move(*opened);
  }
  Counts counts;
  runtime::Scope scope;
  scope.spawn(append_again_and_again(*logs[0], text_batch(codec, 1024 * 1024), counts, false));
  scope.spawn(append_again_and_again(*logs[1], text_batch(protocol::Codec::none, 100), counts, true));
  scope.spawn(watch_rounds(counts));
  co_await scope.join();
  std::printf("neighbour %.0f appends/s; large %.0f batches/s; rounds of the shard with over 1 ms of work: %llu, the longest %lld us\n",
              static_cast<double>(counts.small) * 1e6 / duration_us, static_cast<double>(counts.large) * 1e6 / duration_us,
              static_cast<unsigned long long>(counts.long_rounds), static_cast<long long>(counts.longest_round_us));
  for (const auto& log : logs) co_await log->abandon();
}

}  // namespace
}  // namespace moldau::bench

int main(int argc, char** argv) {
  using namespace moldau;
  const auto codec = argc >= 3 ? protocol::parse_codec(argv[2]) : std::nullopt;
  if (!codec) {
    std::fprintf(stderr, "moldau_neighbours FOLDER CODEC [inline]\n");
    return 2;
  }
  const auto real = runtime::make_real_environment({.shards = 1});
  bench::InlineEnvironment on_shard(*real);
  runtime::Environment& environment = argc >= 4 ? static_cast<runtime::Environment&>(on_shard) : *real;
  real->run([&] { return bench::measure(environment, argv[1], *codec); });
}
