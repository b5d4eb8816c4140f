// The load generator: N connections with D requests in flight each, of prebuilt batches; one line of JSON at the end.
//
//   moldau_load create  --server 127.0.0.1:9092 --topic t --partitions 1
//   moldau_load produce --server ... --topic t [--connections 8 --in-flight 5 --records 1 --size 100 --seconds 5 --acks 1 --keys 0]
//   moldau_load fetch   --server ... --topic t [--connections 4 --seconds 5 --bytes 1048576 --at-once 0]   (what produce has left)
//   moldau_load latency --server ... --topic t [--rate 1000 --seconds 5 --size 100]            (send to receipt, and to the answer)
//
// Connection i uses partition i modulo --partitions. With --keys the records of a batch have so many different keys. --limit-bytes ends a run early, before memory is full.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "frames.h"
#include "protocol/batch_builder.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "runtime/real/environment.h"
#include "runtime/scope.h"

namespace moldau::bench {
namespace {

using runtime::OutputPart;
using runtime::Shard;

class Settings {
 public:
  Settings(int argc, char** argv) {
    for (int i = 2; i + 1 < argc; i += 2) values_[std::string(argv[i]).substr(2)] = argv[i + 1];
  }
  [[nodiscard]] std::string text(const char* name, const char* otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  [[nodiscard]] int64_t number(const char* name, int64_t otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : std::atoll(found->second.c_str());
  }

 private:
  std::map<std::string, std::string> values_;
};

struct Load {
  runtime::Environment& environment;
  const Settings& settings;
  std::string topic = settings.text("topic", "bench");
  int64_t partitions = settings.number("partitions", 1);
  int64_t record_bytes = settings.number("size", 100);
  int64_t seconds = settings.number("seconds", 5);
  int64_t limit_bytes = settings.number("limit-bytes", INT64_MAX);  // ends there if time has not ended it before

  int64_t started_us = 0;
  int64_t end_us = 0;
  int64_t requests = 0;
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t errors = 0;
  std::vector<int64_t> latencies_us;
  std::vector<int64_t> answered_us;  // likewise, of produce requests alone

  void start() {
    started_us = Shard::current().now_us();
    end_us = started_us + seconds * 1'000'000;
  }
  [[nodiscard]] bool is_over() const { return Shard::current().now_us() >= end_us || bytes >= limit_bytes; }
};

int64_t percentile(std::vector<int64_t>& values, double part) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, static_cast<size_t>(part * static_cast<double>(values.size())))];
}

// For the records' own time stamps: read where they are made and taken, not once a turn.
int64_t precise_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

task<std::unique_ptr<Connection>> open(Load& load) {
  const std::string server = load.settings.text("server", "127.0.0.1:9092");
  const size_t colon = server.rfind(':');
  uint16_t port = 0;
  std::from_chars(server.data() + colon + 1, server.data() + server.size(), port);
  auto connection = co_await load.environment.network().connect({server.substr(0, colon), port}, 5000);
  if (!connection) {
    std::fprintf(stderr, "%s\n", connection.error().message().c_str());
    std::_Exit(1);
  }
  co_return std::move(*connection);
}

task<bool> send(Connection& connection, ByteView bytes) {
  const OutputPart parts[] = {{.bytes = bytes, .file = {}}};
  co_return (co_await connection.write(parts)).has_value();
}

task<ByteView> receive(FrameStream& frames) {
  while (true) {
    if (const auto frame = frames.take()) co_return *frame;
    if (!co_await frames.fill()) {
      std::fprintf(stderr, "the server closed a connection\n");
      std::_Exit(1);
    }
  }
}

Bytes make_batch(int64_t records, ByteView value, int64_t now_ms, int64_t keys) {
  protocol::BatchBuilder builder({});
  for (int64_t i = 0; i < records; ++i) {
    const std::string key = keys > 0 ? fmt::format("key-{}", i % keys) : "";
    builder.append(now_ms, keys > 0 ? std::optional(as_bytes(key)) : std::nullopt, value);
  }
  return builder.finish();
}

Bytes produce_frame(const Load& load, int64_t partition, ByteView batch) {
  protocol::ProduceRequest request;
  request.acks = static_cast<int16_t>(load.settings.number("acks", 1));
  request.timeout_ms = 30'000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = load.topic;
  auto& data = topic.partition_data.emplace_back();
  data.index = static_cast<int32_t>(partition);
  data.records = protocol::Records(batch);
  return request_frame(request, produce_version);
}

// The error code of a response to produce_frame.
int16_t produce_error(ByteView frame) {
  const auto response = protocol::decode<protocol::ProduceResponse>(response_body(frame, true), produce_version);
  if (!response || response->responses.empty()) return -1;
  return static_cast<int16_t>(response->responses[0].partition_responses.at(0).error_code);
}

Bytes random_value(int64_t size) {
  Bytes value(static_cast<size_t>(size));
  uint32_t state = 12345;
  for (std::byte& byte : value) byte = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24);
  return value;
}

struct Window {
  int64_t in_flight = 0;
  bool over = false;
  runtime::Signal answered;
  runtime::Signal sent;  // or over
};

task<void> send_all(Load& load, Connection& connection, ByteView frame, Window& window) {
  const int64_t limit = load.settings.number("in-flight", 5);
  std::vector<OutputPart> parts;
  while (!load.is_over()) {
    if (window.in_flight >= limit) {
      co_await window.answered.wait();
      continue;
    }
    parts.assign(static_cast<size_t>(limit - window.in_flight), OutputPart{.bytes = frame, .file = {}});
    window.in_flight = limit;
    window.sent.notify_all();
    if (!co_await connection.write(parts)) break;
  }
  window.over = true;
  window.sent.notify_all();
}

task<void> produce_on(Load& load, int64_t index, int64_t now_ms) {
  const auto connection = co_await open(load);
  const int64_t records = load.settings.number("records", 1);
  const Bytes batch = make_batch(records, random_value(load.record_bytes), now_ms, load.settings.number("keys", 0));
  const Bytes frame = produce_frame(load, index % load.partitions, batch);
  FrameStream frames(*connection);
  Window window;
  runtime::Scope sender;
  sender.spawn(send_all(load, *connection, frame, window));
  while (true) {
    if (window.in_flight == 0) {
      if (window.over) break;
      co_await window.sent.wait();
      continue;
    }
    const ByteView answer = co_await receive(frames);
    ++load.requests;
    if (produce_error(answer) != 0) {
      ++load.errors;
    } else {
      load.records += records;
      load.bytes += static_cast<int64_t>(batch.size());
    }
    --window.in_flight;
    // Answers that came together are made up for together.
    window.answered.notify_all();
  }
  co_await sender.join();
}

Bytes fetch_frame(const Load& load, int64_t partition, int64_t offset, int32_t max_bytes) {
  protocol::FetchRequest request;
  request.max_wait_ms = 500;
  request.min_bytes = 1;
  request.max_bytes = max_bytes;
  auto& topic = request.topics.emplace_back();
  topic.topic = load.topic;
  auto& wanted = topic.partitions.emplace_back();
  wanted.partition = static_cast<int32_t>(partition);
  wanted.fetch_offset = offset;
  wanted.partition_max_bytes = max_bytes;
  return request_frame(request, fetch_version);
}

// Calls f(batch) for each whole batch of the answer; gives the offset after the last, or `offset` if there is none.
template <class F>
int64_t for_each_batch(ByteView frame, int64_t offset, F f) {
  const auto response = protocol::decode<protocol::FetchResponse>(response_body(frame, true), fetch_version);
  if (!response || response->responses.empty() || static_cast<int16_t>(response->responses[0].partitions.at(0).error_code) != 0) {
    std::fprintf(stderr, "a fetch failed\n");
    std::_Exit(1);
  }
  const auto& records = response->responses[0].partitions[0].records;
  if (records.is_null) return offset;
  ByteView rest = records.bytes;
  while (rest.size() >= 61) {
    const size_t size = static_cast<size_t>(load_be<int32_t>(rest.data() + 8)) + 12;
    if (size > rest.size()) break;
    offset = load_be<int64_t>(rest.data()) + load_be<int32_t>(rest.data() + 23) + 1;
    f(rest.first(size));
    rest = rest.subspan(size);
  }
  return offset;
}

task<void> fetch_on(Load& load, int64_t index) {
  const auto connection = co_await open(load);
  const auto max_bytes = static_cast<int32_t>(load.settings.number("bytes", 1 << 20));
  // A system call is not interrupted on many kernels: who shares a core with this would wait for the copying of a megabyte.
  const int64_t at_once = load.settings.number("at-once", 0);
  FrameStream frames(*connection, at_once > 0 ? static_cast<size_t>(at_once) : SIZE_MAX);
  int64_t offset = 0;
  while (!load.is_over()) {
    co_await send(*connection, fetch_frame(load, index % load.partitions, offset, max_bytes));
    const ByteView answer = co_await receive(frames);
    const int64_t next = for_each_batch(answer, offset, [&](ByteView batch) { load.records += load_be<int32_t>(batch.data() + 57); });
    ++load.requests;
    load.bytes += static_cast<int64_t>(answer.size());
    offset = next == offset ? 0 : next;
  }
}

// The value of the only record of a batch ends one byte before the batch does (no headers): its last 8 bytes are when it
// was sent.
constexpr size_t sent_at_from_end = 9;

task<void> consume_latencies(Load& load, int64_t offset, int64_t& received) {
  const auto connection = co_await open(load);
  FrameStream frames(*connection);
  const int64_t expected = load.settings.number("rate", 1000) * load.seconds;
  while (received < expected && Shard::current().now_us() < load.end_us + 2'000'000) {
    co_await send(*connection, fetch_frame(load, 0, offset, 1 << 20));
    const ByteView answer = co_await receive(frames);
    const int64_t now = precise_us();
    offset = for_each_batch(answer, offset, [&](ByteView batch) {
      load.latencies_us.push_back(now - load_be<int64_t>(batch.data() + batch.size() - sent_at_from_end));
      ++received;
    });
  }
}

task<void> take_answers(FrameStream& frames, Load& load, const std::vector<int64_t>& sent_us, int64_t expected) {
  for (int64_t i = 0; i < expected; ++i) {
    if (produce_error(co_await receive(frames)) != 0) ++load.errors;
    load.answered_us.push_back(precise_us() - sent_us[static_cast<size_t>(i)]);
    ++load.requests;
  }
}

task<void> measure_latency(Load& load, int64_t now_ms) {
  const auto connection = co_await open(load);
  FrameStream frames(*connection);
  Bytes value = random_value(load.record_bytes);
  std::vector<int64_t> sent_us;
  const auto next_frame = [&] {
    sent_us.push_back(precise_us());
    store_be(value.data() + value.size() - 8, sent_us.back());
    return produce_frame(load, 0, make_batch(1, value, now_ms, 0));
  };
  // The log's end, by one record more.
  co_await send(*connection, next_frame());
  const Bytes first = to_bytes(co_await receive(frames));
  const auto response = protocol::decode<protocol::ProduceResponse>(response_body(first, true), produce_version);
  const int64_t offset = response->responses.at(0).partition_responses.at(0).base_offset + 1;

  const int64_t rate = load.settings.number("rate", 1000);
  sent_us.clear();
  load.start();
  int64_t received = 0;
  runtime::Scope scope;
  scope.spawn(consume_latencies(load, offset, received));
  scope.spawn(take_answers(frames, load, sent_us, rate * load.seconds));
  for (int64_t i = 0; i < rate * load.seconds; ++i) {
    const int64_t due_us = load.started_us + i * 1'000'000 / rate;
    runtime::Signal never;
    co_await never.wait_until(due_us);
    co_await send(*connection, next_frame());
    ++load.records;
  }
  co_await scope.join();
}

task<void> create_topic(Load& load) {
  const auto connection = co_await open(load);
  FrameStream frames(*connection);
  protocol::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = load.topic;
  topic.num_partitions = static_cast<int32_t>(load.partitions);
  topic.replication_factor = 1;
  co_await send(*connection, request_frame(request, 5));
  const auto response = protocol::decode<protocol::CreateTopicsResponse>(response_body(co_await receive(frames), true), 5);
  if (!response || response->topics.empty() || static_cast<int16_t>(response->topics[0].error_code) != 0) ++load.errors;
}

task<void> run(Load& load, std::string word, int64_t now_ms) {
  const int64_t connections = load.settings.number("connections", word == "fetch" ? 4 : 8);
  load.start();
  runtime::Scope scope;
  if (word == "create") {
    co_await create_topic(load);
  } else if (word == "latency") {
    co_await measure_latency(load, now_ms);
  } else {
    for (int64_t i = 0; i < connections; ++i) {
      if (word == "produce")
        scope.spawn(produce_on(load, i, now_ms));
      else
        scope.spawn(fetch_on(load, i));
    }
  }
  co_await scope.join();
  const double took = static_cast<double>(Shard::current().now_us() - load.started_us) / 1e6;
  const auto rate = [&](int64_t count) { return static_cast<double>(count) / took; };
  fmt::print("{{\"seconds\": {:.3f}, \"requests\": {}, \"records\": {}, \"bytes\": {}, \"errors\": {}, \"requests_per_s\": {:.0f}, "
             "\"records_per_s\": {:.0f}, \"bytes_per_s\": {:.0f}, \"p50_us\": {}, \"p99_us\": {}, \"p999_us\": {}, \"answered_p50_us\": {}, \"answered_p99_us\": {}}}\n",
             took, load.requests, load.records, load.bytes, load.errors, rate(load.requests), rate(load.records), rate(load.bytes),
             percentile(load.latencies_us, 0.5), percentile(load.latencies_us, 0.99), percentile(load.latencies_us, 0.999),
             percentile(load.answered_us, 0.5), percentile(load.answered_us, 0.99));
}

}  // namespace
}  // namespace moldau::bench

int main(int argc, char** argv) {
  using namespace moldau;
  const std::string word = argc > 1 ? argv[1] : "";
  if (word != "create" && word != "produce" && word != "fetch" && word != "latency") {
    std::fprintf(stderr, "usage: moldau_load create|produce|fetch|latency --server HOST:PORT --topic NAME [--KEY VALUE]...\n");
    return 2;
  }
  const bench::Settings settings(argc, argv);
  const auto environment = runtime::make_real_environment({});
  int64_t errors = 0;
  environment->run([&]() -> runtime::task<void> {
    bench::Load load{.environment = *environment, .settings = settings};
    co_await bench::run(load, word, environment->wall_clock_ms());
    errors = load.errors;
  });
  return errors == 0 ? 0 : 1;
}
