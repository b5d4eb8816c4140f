// How long a leader's check keeps a shard, by codec and size: where the bounds of validate_small_batch come from.
//
//   ninja -C build/release protocol_bench && build/release/src/protocol_bench
#include <benchmark/benchmark.h>

#include "protocol/batch_builder.h"
#include "protocol/batch_validation.h"

namespace moldau::protocol {
namespace {

constexpr int64_t clock_ms = 1'750'000'000'000;

// Values that compress about four times, as logs of text do.
Bytes batch_of(Codec codec, size_t uncompressed_bytes, size_t value_bytes) {
  BatchBuilder builder({.codec = codec});
  uint64_t random = 1;
  while (builder.uncompressed_size_bytes() < uncompressed_bytes) {
    std::string value;
    while (value.size() < value_bytes) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      value += "request=" + std::to_string((random >> 40) % 100'000) + " status=200 path=/orders/list ";
    }
    value.resize(value_bytes);
    builder.append(clock_ms, std::nullopt, as_bytes(value));
  }
  return builder.finish();
}

void check(benchmark::State& state, Codec from, std::optional<Codec> to) {
  const Bytes batch = batch_of(from, static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)));
  ValidationSettings settings;
  settings.max_message_bytes = INT32_MAX;
  settings.codec = to;
  for (auto turn : state) {
    Bytes taken = batch;
    auto validated = validate_batch(taken, AppendOrigin::client, settings, Offset(0), LeaderEpoch(1), clock_ms);
    benchmark::DoNotOptimize(validated);
  }
  state.counters["batch_bytes"] = static_cast<double>(batch.size());
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"uncompressed", "value"})->Unit(benchmark::kMicrosecond);
  for (const int kib : {16, 64, 256, 1024}) bench->Args({kib * 1024, 100});
}

BENCHMARK_CAPTURE(check, plain, Codec::none, std::nullopt)->Apply(sizes)->Args({1024 * 1024, 1})->Args({1024 * 1024, 100'000});
BENCHMARK_CAPTURE(check, gzip, Codec::gzip, std::nullopt)->Apply(sizes);
BENCHMARK_CAPTURE(check, snappy, Codec::snappy, std::nullopt)->Apply(sizes);
BENCHMARK_CAPTURE(check, lz4, Codec::lz4, std::nullopt)->Apply(sizes);
BENCHMARK_CAPTURE(check, zstd, Codec::zstd, std::nullopt)->Apply(sizes);
BENCHMARK_CAPTURE(check, plain_to_gzip, Codec::none, Codec::gzip)->Apply(sizes);
BENCHMARK_CAPTURE(check, plain_to_lz4, Codec::none, Codec::lz4)->Apply(sizes);
BENCHMARK_CAPTURE(check, plain_to_zstd, Codec::none, Codec::zstd)->Apply(sizes);
BENCHMARK_CAPTURE(check, gzip_to_zstd, Codec::gzip, Codec::zstd)->Apply(sizes);
BENCHMARK_CAPTURE(check, zstd_to_plain, Codec::zstd, Codec::none)->Apply(sizes);

}  // namespace
}  // namespace moldau::protocol
