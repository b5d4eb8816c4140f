// One log, made and cleaned: what compaction costs, without a node around it.
//
//   moldau_cleaning make DIRECTORY CODEC RECORDS KEYS    a closed log of 1 kB records, each of a random key
//   moldau_cleaning clean DIRECTORY                      one round over all of it; prints {"bytes":..,"cpu_seconds":..,...}
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <random>
#include <string>

#include "base/assert.h"
#include "protocol/batch_builder.h"
#include "runtime/real/environment.h"
#include "storage/compaction/cleanable_log.h"
#include "storage/open_files.h"

namespace moldau::bench {
namespace {

using runtime::Environment;
using runtime::task;

constexpr int records_in_batch = 16;  // what fits a producer's batch.size
constexpr size_t value_bytes = 1000;

storage::LogOptions options_of(Environment& environment, storage::OpenFiles& open_files, const std::string& directory) {
  storage::LogOptions options;
  options.environment = &environment;
  options.open_files = &open_files;
  options.health = std::make_shared<storage::DirectoryHealth>(directory.substr(0, directory.rfind('/')));
  options.directory = directory;
  options.topic = "t";
  options.config.is_compacted = true;
  options.config.is_deleted = false;
  options.config.segment_bytes = 100U << 20;
  options.config.file_delete_delay_ms = 0;
  options.had_clean_shutdown = true;
  return options;
}

// Words as they stand in a JSON document: about a third of their size compressed.
std::string value_of(std::mt19937_64& random) {
  std::string value;
  while (value.size() < value_bytes)
    value += fmt::format("{{\"id\":{},\"name\":\"user-{}\",\"state\":\"active\"}},", random() % 100'000'000, random() % 100'000);
  value.resize(value_bytes);
  return value;
}

task<void> make(Environment& environment, std::string directory, protocol::Codec codec, int64_t records, int64_t keys) {
  storage::OpenFiles open_files(environment.files(), 64);
  auto opened = co_await storage::Log::open(options_of(environment, open_files, directory));
  MOLDAU_ASSERT_MSG(opened.has_value(), opened ? "" : opened.error().message.c_str());
  storage::Log& log = **opened;
  std::mt19937_64 random(1);
  for (int64_t done = 0; done < records; done += records_in_batch) {
    protocol::BatchBuilder builder({.codec = codec});
    for (int i = 0; i < records_in_batch; ++i) {
      const std::string key = fmt::format("key-{:012}", random() % static_cast<uint64_t>(keys));
      builder.append(environment.wall_clock_ms(), as_bytes(key), as_bytes(value_of(random)));
    }
    Bytes batch = builder.finish();
    storage::LeaderAppend append;
    append.records = batch;
    append.leader_epoch = LeaderEpoch(0);
    const auto appended = co_await log.append_as_leader(append);
    MOLDAU_ASSERT_MSG(appended.has_value(), appended ? "" : appended.error().message.c_str());
  }
  MOLDAU_ASSERT(co_await log.roll());
  MOLDAU_ASSERT(co_await log.flush());
  MOLDAU_ASSERT(co_await log.close());
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

task<void> clean(Environment& environment, std::string directory) {
  storage::OpenFiles open_files(environment.files(), 64);
  auto opened = co_await storage::Log::open(options_of(environment, open_files, directory));
  MOLDAU_ASSERT_MSG(opened.has_value(), opened ? "" : opened.error().message.c_str());
  storage::Log& log = **opened;
  log.update_high_watermark(log.log_end_offset());
  const uint64_t before_bytes = log.size_bytes();
  const double before = cpu_seconds();
  const auto began = std::chrono::steady_clock::now();
  const auto found = co_await storage::measure_cleanable(log, std::nullopt, environment.wall_clock_ms());
  MOLDAU_ASSERT_MSG(found.has_value(), found ? "" : found.error().message.c_str());
  const auto outcome = co_await storage::clean_log(log, found->range, storage::CleaningTerms());
  MOLDAU_ASSERT_MSG(outcome.has_value(), outcome ? "" : outcome.error().message.c_str());
  const double cpu = cpu_seconds() - before;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  std::printf("{\"bytes\": %llu, \"left_bytes\": %llu, \"left_records\": %llu, \"cpu_seconds\": %.3f, \"wall_seconds\": %.3f}\n",
              static_cast<unsigned long long>(before_bytes), static_cast<unsigned long long>(log.size_bytes()),
              static_cast<unsigned long long>(outcome->counts.records_written), cpu, wall.count());
  MOLDAU_ASSERT(co_await log.flush());
  MOLDAU_ASSERT(co_await log.close());
}

}  // namespace
}  // namespace moldau::bench

int main(int argc, char** argv) {
  using namespace moldau;
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool makes = words.size() == 5 && words[0] == "make";
  if (!makes && !(words.size() == 2 && words[0] == "clean")) {
    std::fputs("usage: moldau_cleaning make DIRECTORY CODEC RECORDS KEYS | clean DIRECTORY\n", stderr);
    return 2;
  }
  const auto environment = runtime::make_real_environment({});
  environment->run([&] {
    return makes ? bench::make(*environment, words[1], protocol::parse_codec(words[2]).value(), std::stoll(words[3]), std::stoll(words[4]))
                 : bench::clean(*environment, words[1]);
  });
  return 0;
}
