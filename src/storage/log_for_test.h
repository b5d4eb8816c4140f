// For tests: a log in a memory world, and batches to put into it.
#pragma once

#include "base/crc32c.h"
#include "protocol/batch_builder.h"
#include "storage/log.h"
#include "storage/memory_world_for_test.h"
#include "storage/open_files.h"

namespace moldau::storage::test {

struct LogWorld {
  MemoryEnvironment environment;
  OpenFiles open_files{environment.disk, 64};
  DirectoryHealthPtr health = std::make_shared<DirectoryHealth>("/data");
  LogConfig config;
  ProducerStateConfig producers;
  std::unique_ptr<Log> log;
  LoadReport report;

  LogWorld() {
    environment.disk.clock_ms = environment.clock_ms;
    environment.disk.directories = {"/data"};
    config.segment_index_bytes = 4096;
    producers.verify_transactions = false;
  }
  ~LogWorld() { crash(); }

  LogOptions options() {
    LogOptions made;
    made.environment = &environment;
    made.open_files = &open_files;
    made.health = health;
    made.directory = "/data/t-0";
    made.topic = "t";
    made.topic_id = Uuid{1, 2};
    made.config = config;
    made.producers = producers;
    return made;
  }
  void open() { open(options()); }
  void open(LogOptions with) {
    report = {};
    auto opened = now(Log::open(std::move(with), &report));
    MOLDAU_ASSERT_MSG(opened.has_value(), opened ? "" : opened.error().message.c_str());
    log = std::move(*opened);
  }
  // What a process that dies leaves: the files as they are.
  void crash() {
    if (log == nullptr) return;
    now(log->abandon());
    log.reset();
  }
  // Opens again after a stop; offsets are what the directory's checkpoints would say.
  void reopen(bool clean, Offset recovery_point, Offset log_start = Offset(0), Offset high_watermark = Offset(0)) {
    LogOptions again = options();
    again.had_clean_shutdown = clean;
    again.recovery_point = recovery_point;
    again.log_start_offset = log_start;
    again.high_watermark = high_watermark;
    open(std::move(again));
  }
  [[nodiscard]] std::string path(const char* name) const { return std::string("/data/t-0/") + name; }
};

// `count` small records of one time, as a client would send them.
inline Bytes batch_of(int count, int64_t timestamp_ms = 1'750'000'000'000, protocol::BatchOptions options = {}) {
  protocol::BatchBuilder builder(options);
  for (int i = 0; i < count; ++i) builder.append(timestamp_ms, as_bytes("key"), as_bytes("value"));
  return builder.finish();
}

// Puts a file with these bytes into the log's directory, before it is opened.
inline void put_file(LogWorld& world, const char* name, Bytes bytes) {
  world.environment.disk.directories.insert("/data/t-0");
  auto node = std::make_shared<MemoryFileSystem::Node>();
  node->bytes = std::move(bytes);
  world.environment.disk.files[world.path(name)] = std::move(node);
}

inline void add(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

inline log_result<AppendInfo> append(LogWorld& world, Bytes batch, int32_t leader_epoch = 0) {
  LeaderAppend wanted;
  wanted.records = batch;
  wanted.leader_epoch = LeaderEpoch(leader_epoch);
  auto info = now(world.log->append_as_leader(wanted));
  return info;
}

// The bytes that a read names.
inline Bytes bytes_of(const ReadInfo& info) {
  Bytes bytes(info.size_bytes);
  if (info.file == nullptr) return bytes;
  const auto got = now(info.file->read_at(info.position, bytes));
  MOLDAU_ASSERT(got.has_value() && *got == bytes.size());
  return bytes;
}

}  // namespace moldau::storage::test
