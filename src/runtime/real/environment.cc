#include "runtime/real/environment.h"

#include <pthread.h>
#include <sched.h>
#include <sys/random.h>

#include <bit>
#include <csignal>
#include <ctime>
#include <fstream>
#include <optional>
#include <thread>

#include "runtime/real/disk_file_system.h"
#include "runtime/real/event_shard.h"
#include "runtime/real/io_pool.h"
#include "runtime/real/signals.h"
#include "runtime/real/socket_network.h"
#include "runtime/scope.h"

namespace moldau::runtime {

namespace real {
namespace {

// xoshiro256** by Blackman and Vigna, one a thread, seeded by the system.
struct RandomState {
  uint64_t s[4];
  RandomState() {
    if (getrandom(s, sizeof s, 0) != static_cast<ssize_t>(sizeof s)) s[0] = static_cast<uint64_t>(monotonic_us()) | 1;
  }
  uint64_t next() {
    const uint64_t result = std::rotl(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = std::rotl(s[3], 45);
    return result;
  }
};

// Binds the calling thread to the n-th CPU (counting round) of those that `allowed` holds.
void pin_to(const cpu_set_t& allowed, int n) {
  const int count = CPU_COUNT(&allowed);
  if (count == 0) return;
  n %= count;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || n-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    return;
  }
}

class LinuxEnvironment final : public RealEnvironment {
 public:
  explicit LinuxEnvironment(RealOptions options)
      : options_(std::move(options)), pool_(options_.io_threads), files_(pool_), network_(event_shards_, pool_) {
    MOLDAU_ASSERT(options_.shards >= 1);
    std::signal(SIGPIPE, SIG_IGN);
    if (options_.on_signal) block_stop_signals();
    for (int i = 0; i < options_.shards; ++i) {
      event_shards_.push_back(std::make_unique<EventShard>(i));
      shards_.push_back(event_shards_.back().get());
    }
    quorum_shard_ = std::make_unique<EventShard>(options_.shards);
  }

  [[nodiscard]] const std::vector<Shard*>& shards() const override { return shards_; }
  [[nodiscard]] Shard& quorum_shard() const override { return *quorum_shard_; }
  [[nodiscard]] FileSystem& files() override { return files_; }
  [[nodiscard]] Network& network() override { return network_; }
  [[nodiscard]] int64_t wall_clock_ms() const override {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
  }
  [[nodiscard]] int64_t uptime_ms() const override {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
  }
  [[nodiscard]] std::string boot_id() const override {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    file >> id;
    return id;
  }
  [[nodiscard]] uint64_t random() override {
    thread_local RandomState state;
    return state.next();
  }
  task<void> run_off_shard(Job work) override { co_await on_io_thread(pool_, Lane::quick, std::move(work)); }

  void run(std::move_only_function<task<void>()> main) override {
    std::optional<SignalWatch> signals;
    if (options_.on_signal) signals.emplace(*event_shards_[0], options_.on_signal);
    Scope scope;
    event_shards_[0]->post([&] { scope.spawn(run_main(main)); });

    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    std::vector<std::thread> threads;
    for (int i = 1; i < options_.shards; ++i) {
      threads.emplace_back([this, i, &allowed] {
        if (options_.pin) pin_to(allowed, i);
        event_shards_[static_cast<size_t>(i)]->run();
      });
    }
    // Not pinned: it has little to do, and that must not wait for a busy core while another one is free.
    threads.emplace_back([this] { quorum_shard_->run(); });
    const cpu_set_t before = allowed;
    if (options_.pin) pin_to(allowed, 0);
    event_shards_[0]->run();
    for (std::thread& thread : threads) thread.join();
    pool_.stop();
    if (options_.pin) pthread_setaffinity_np(pthread_self(), sizeof before, &before);
  }

 private:
  task<void> run_main(std::move_only_function<task<void>()>& main) {
    co_await main();
    for (const auto& shard : event_shards_) shard->stop();
    quorum_shard_->stop();
  }

  RealOptions options_;
  IoPool pool_;
  std::vector<std::unique_ptr<EventShard>> event_shards_;
  std::vector<Shard*> shards_;
  std::unique_ptr<EventShard> quorum_shard_;
  DiskFileSystem files_;
  SocketNetwork network_;
};

}  // namespace
}  // namespace real

std::unique_ptr<RealEnvironment> make_real_environment(RealOptions options) {
  return std::make_unique<real::LinuxEnvironment>(std::move(options));
}

}  // namespace moldau::runtime
