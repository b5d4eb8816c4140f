// The least that durable acknowledgements can cost on a disk: as many threads as a node has shards append what all producers of
// bench/durable may have in flight, have it written by one syncfs each, and begin again. No network, no checks, no client.
//
//   moldau_disk_floor FOLDER SECONDS THREADS
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/assert.h"

namespace moldau::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int files_in_all = 64;
constexpr int batches_per_file = 5;
constexpr size_t batch_bytes = 16384 + 72;  // a batch of one record: ends within a page, which the next append writes again
constexpr off_t file_bytes_max = 16 << 20;  // then the next one begins, as a segment is rolled
constexpr int files_kept = 2;                // older ones are removed, as by retention

// Removes files beside who writes: a disk that is told of free blocks may take its time.
class Remover {
 public:
  ~Remover() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  void remove(std::string path) {
    {
      const std::lock_guard lock(mutex_);
      paths_.push_back(std::move(path));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !paths_.empty(); });
      if (paths_.empty()) return;
      const std::string path = std::move(paths_.back());
      paths_.pop_back();
      lock.unlock();
      MOLDAU_ASSERT(unlink(path.c_str()) == 0);
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> paths_;
  bool stopping_ = false;
  std::thread thread_{[this] { run(); }};
};

class File {
 public:
  explicit File(std::string path) : path_(std::move(path)) { begin_next(); }
  ~File() { close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void append(const std::vector<char>& batch, Remover& remover) {
    if (size_bytes_ >= file_bytes_max) {
      close(descriptor_);
      if (number_ >= files_kept) remover.remove(path_of(number_ - files_kept));
      ++number_;
      begin_next();
    }
    MOLDAU_ASSERT(pwrite(descriptor_, batch.data(), batch.size(), size_bytes_) == static_cast<ssize_t>(batch.size()));
    size_bytes_ += static_cast<off_t>(batch.size());
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  [[nodiscard]] std::string path_of(int number) const { return path_ + "-" + std::to_string(number); }
  void begin_next() {
    descriptor_ = open(path_of(number_).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    MOLDAU_ASSERT(descriptor_ >= 0);
    size_bytes_ = 0;
  }
  std::string path_;
  int number_ = 0;
  int descriptor_ = -1;
  off_t size_bytes_ = 0;
};

// The bytes that were on the disk in time.
uint64_t write_and_sync(const std::string& folder, int thread, int files_count, Clock::time_point until) {
  std::vector<std::unique_ptr<File>> files;
  for (int i = 0; i < files_count; ++i)
    files.push_back(std::make_unique<File>(folder + "/" + std::to_string(thread) + "-" + std::to_string(i)));
  Remover remover;
  const std::vector<char> batch(batch_bytes, 'x');
  uint64_t total = 0;
  while (Clock::now() < until) {
    for (const auto& file : files)
      for (int i = 0; i < batches_per_file; ++i) file->append(batch, remover);
    MOLDAU_ASSERT(syncfs(files.front()->descriptor()) == 0);
    if (Clock::now() < until) total += files.size() * batches_per_file * batch_bytes;
  }
  return total;
}

void measure(const std::string& folder, int seconds, int threads_count) {
  const auto until = Clock::now() + std::chrono::seconds(seconds);
  std::vector<uint64_t> totals(static_cast<size_t>(threads_count));
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_count; ++i)
    threads.emplace_back([&, i] { totals[static_cast<size_t>(i)] = write_and_sync(folder, i, files_in_all / threads_count, until); });
  for (std::thread& thread : threads) thread.join();
  uint64_t total = 0;
  for (const uint64_t bytes : totals) total += bytes;
  std::printf("{\"bytes\": %llu, \"seconds\": %d}\n", static_cast<unsigned long long>(total), seconds);
}

}  // namespace
}  // namespace moldau::bench

int main(int argc, char** argv) {
  const int seconds = argc == 4 ? std::atoi(argv[2]) : 0;
  const int threads = argc == 4 ? std::atoi(argv[3]) : 0;
  if (seconds < 1 || threads < 1 || threads > moldau::bench::files_in_all) {
    std::fprintf(stderr, "moldau_disk_floor FOLDER SECONDS THREADS\n");
    return 2;
  }
  moldau::bench::measure(argv[1], seconds, threads);
}
