// A partition's directory full of hostile bytes: it is opened, read and closed, or refused; never a crash, never an
// endless loop. The input is cut into the log, its indexes, a snapshot and the epochs.
#include "base/log.h"
#include "storage/log_for_test.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau;
  using namespace moldau::storage;
  using storage::test::now;
  set_log_level(LogLevel::off);
  if (size < 8) return 0;
  const ByteView input(reinterpret_cast<const std::byte*>(data), size);
  const bool is_clean = (data[0] & 1) != 0;
  const bool has_indexes = (data[0] & 2) != 0;
  const bool is_flushed = (data[0] & 4) != 0;
  const size_t part = data[1] * (size - 8) / 1024;
  storage::test::LogWorld world;
  auto& disk = world.environment.disk;
  disk.directories.insert("/data/t-0");
  const auto put = [&](const char* name, ByteView bytes) {
    auto node = std::make_shared<storage::test::MemoryFileSystem::Node>();
    node->bytes = to_bytes(bytes);
    disk.files[world.path(name)] = std::move(node);
  };
  ByteView rest = input.subspan(8);
  if (has_indexes) {
    put("00000000000000000000.index", rest.first(part));
    put("00000000000000000000.timeindex", rest.first(part));
    put("00000000000000000000.txnindex", rest.first(part));
    put("00000000000000000003.snapshot", rest.first(part));
    put("leader-epoch-checkpoint", rest.first(part));
    rest = rest.subspan(part);
  }
  put("00000000000000000000.log", rest);
  if ((data[0] & 8) != 0) put("00000000000000000009.log", rest);
  LogOptions options = world.options();
  options.had_clean_shutdown = is_clean;
  options.recovery_point = Offset(is_flushed ? 1000 : 0);
  auto opened = now(Log::open(options));
  if (!opened) return 0;
  world.log = std::move(*opened);
  world.log->update_high_watermark(world.log->log_end_offset());
  Offset at = world.log->log_start_offset();
  for (int i = 0; i < 50; ++i) {
    const auto read = now(world.log->read(at, 1000, true, ReadIsolation::committed));
    if (!read || read->size_bytes == 0) break;
    at = std::max(at + 1, read->first_batch_offset + 1);
  }
  (void)now(world.log->offset_for_timestamp(0));
  (void)now(world.log->offset_for_timestamp(max_timestamp));
  (void)now(world.log->delete_old_segments());
  (void)now(world.log->close());
  world.log.reset();
  return 0;
}
