// Compaction of hostile segments: they are cleaned or refused; never a crash, never an endless loop, and what is left can
// be cleaned again. Checksums are made right, or nothing behind them would be reached.
#include "base/log.h"
#include "storage/compaction/cleanable_log.h"
#include "storage/log_for_test.h"

namespace moldau::storage {
namespace {

void mend_checksums(Bytes& segment) {
  size_t at = 0;
  while (true) {
    protocol::BatchCursor cursor(ByteView(segment).subspan(at));
    const auto batch = cursor.next();
    if (!batch || !*batch) return;
    const size_t size = (*batch)->bytes.size();
    if ((*batch)->magic == 2)
      store_be(segment.data() + at + 17, protocol::batch_crc(ByteView(segment).subspan(at, size)));
    at += size;
  }
}

}  // namespace
}  // namespace moldau::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau;
  using namespace moldau::storage;
  using storage::test::now;
  set_log_level(LogLevel::off);
  constexpr size_t settings_bytes = 4;
  if (size < settings_bytes) return 0;
  const ByteView input(reinterpret_cast<const std::byte*>(data), size);
  storage::test::LogWorld world;
  world.config.is_compacted = true;
  world.config.index_interval_bytes = 64;
  world.config.delete_retention_ms = data[0] % 2 == 0 ? 0 : 1'000;
  auto& disk = world.environment.disk;
  disk.directories.insert("/data/t-0");
  const auto put = [&](const char* name, Bytes bytes) {
    auto node = std::make_shared<storage::test::MemoryFileSystem::Node>();
    node->bytes = std::move(bytes);
    disk.files[world.path(name)] = std::move(node);
  };
  const ByteView rest = input.subspan(settings_bytes);
  const size_t cut = rest.size() * data[1] / 256;
  Bytes first = to_bytes(rest.first(cut));
  Bytes second = to_bytes(rest.subspan(cut));
  mend_checksums(first);
  mend_checksums(second);
  put("00000000000000000000.log", std::move(first));
  put("00000000000000000100.log", std::move(second));
  put("00000000000000000200.log", {});
  if (data[0] & 2) put("00000000000000000100.txnindex", to_bytes(rest.first(std::min(rest.size(), size_t{68}))));
  LogOptions options = world.options();
  options.had_clean_shutdown = true;
  auto opened = now(Log::open(options));
  if (!opened) return 0;
  world.log = std::move(*opened);
  world.log->update_high_watermark(world.log->log_end_offset());
  CleaningTerms terms;
  terms.io_buffer_bytes = 4096;
  if (data[0] & 4) terms.map = {OffsetMapLimits::slot_bytes * (1 + data[2] % 8U), 0.9};
  std::optional<Offset> checkpoint;
  for (int round = 0; round < 3; ++round) {
    const auto found = now(measure_cleanable(*world.log, checkpoint, world.environment.clock_ms));
    if (!found) break;
    const auto outcome = now(clean_log(*world.log, found->range, terms));
    if (!outcome || !outcome->is_finished) break;
    checkpoint = outcome->next_dirty;
    world.environment.advance_ms(1'001);
  }
  (void)now(world.log->read(world.log->log_start_offset(), 1000, true, ReadIsolation::committed));
  (void)now(world.log->close());
  world.log.reset();
  return 0;
}
