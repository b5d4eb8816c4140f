// The least that durable acknowledgements can cost on a disk: as many threads as a node has shards append what all producers of
// bench/durable may have in flight, have it written by one syncfs each, and begin again. No network, no checks, no client.
//
//   moldau_disk_floor FOLDER SECONDS THREADS
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/assert.h"

namespace moldau::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int files_in_all = 64;
constexpr int records_per_file = 5;
constexpr size_t record_bytes = 16384;
constexpr off_t file_bytes_max = 16 << 20;  // then it begins again, as a segment is rolled

struct File {
  int descriptor = -1;
  off_t size_bytes = 0;
};

// The bytes that were on the disk in time.
uint64_t write_and_sync(const std::string& folder, int thread, int files_count, Clock::time_point until) {
  std::vector<File> files(static_cast<size_t>(files_count));
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string path = folder + "/" + std::to_string(thread) + "-" + std::to_string(i);
    files[i].descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    MOLDAU_ASSERT(files[i].descriptor >= 0);
  }
  const std::vector<char> record(record_bytes, 'x');
  uint64_t total = 0;
  while (Clock::now() < until) {
    uint64_t round = 0;
    for (File& file : files) {
      if (file.size_bytes >= file_bytes_max) {
        MOLDAU_ASSERT(ftruncate(file.descriptor, 0) == 0);
        file.size_bytes = 0;
      }
      for (int i = 0; i < records_per_file; ++i) {
        MOLDAU_ASSERT(pwrite(file.descriptor, record.data(), record.size(), file.size_bytes) == static_cast<ssize_t>(record.size()));
        file.size_bytes += static_cast<off_t>(record.size());
        round += record.size();
      }
    }
    MOLDAU_ASSERT(syncfs(files.front().descriptor) == 0);
    if (Clock::now() < until) total += round;
  }
  for (const File& file : files) close(file.descriptor);
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
