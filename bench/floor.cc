// The least that a broker can do: read frames, append the bytes of Produce to one file, answer; answer Fetch from that
// file. No checks, no indexes but an array, no topics. What Moldau costs beyond this is what its features cost.
//
//   moldau_floor PORT FILE
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <vector>

#include "base/assert.h"
#include "frames.h"
#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "runtime/real/environment.h"
#include "runtime/scope.h"

namespace moldau::bench {
namespace {

using runtime::FilePtr;
using runtime::OutputPart;

// The one log. `batches` holds where each batch begins, in offsets and bytes.
struct FloorLog {
  struct Batch {
    int64_t offset;
    uint64_t position;
  };
  FilePtr file;
  std::vector<Batch> batches;
  int64_t end_offset = 0;
  uint64_t size_bytes = 0;
  runtime::Signal appended;
};

// The answers to the frames of one read, sent together.
struct Answers {
  Bytes bytes;
  std::vector<OutputPart> parts;  // their bytes are filled in at the end: `bytes` may move until then
  std::vector<std::pair<size_t, size_t>> ranges;
  size_t done = 0;

  void end_piece() {
    if (done < bytes.size()) {
      parts.push_back({});
      ranges.emplace_back(done, bytes.size() - done);
      done = bytes.size();
    }
  }
  void add_file(const FilePtr& file, uint64_t position, uint64_t size) {
    end_piece();
    parts.push_back({.bytes = {}, .file = file, .file_position = position, .file_size_bytes = size});
    ranges.emplace_back(0, 0);
  }
  task<bool> send(Connection& connection) {
    end_piece();
    for (size_t i = 0; i < parts.size(); ++i)
      if (!parts[i].file) parts[i].bytes = ByteView(bytes).subspan(ranges[i].first, ranges[i].second);
    const bool sent = (co_await connection.write(parts)).has_value();
    bytes.clear();
    parts.clear();
    ranges.clear();
    done = 0;
    co_return sent;
  }
};

// Appends a response with this body; bytes that the encoder left out come from the file.
template <class Response>
void answer(Answers& answers, int32_t correlation_id, const Response& response, int16_t version, const FilePtr& file = {}, uint64_t position = 0) {
  protocol::Writer writer(std::move(answers.bytes));
  const size_t length = writer.skip(4);
  writer.int32(correlation_id);
  writer.unsigned_varint(0);
  const size_t before = writer.total_size();
  protocol::encode(writer, response, version);
  writer.patch_int32(length, static_cast<int32_t>(writer.total_size() - before + 5));
  const auto splices = writer.splices();
  Bytes all = writer.take();
  if (splices.empty() || splices[0].bytes == 0) {
    answers.bytes = std::move(all);
    return;
  }
  const Bytes tail(all.begin() + static_cast<ptrdiff_t>(splices[0].position), all.end());
  all.resize(splices[0].position);
  answers.bytes = std::move(all);
  answers.add_file(file, position, splices[0].bytes);
  answers.bytes.insert(answers.bytes.end(), tail.begin(), tail.end());
}

task<void> produce(FloorLog& log, protocol::Reader& reader, int32_t correlation_id, Answers& answers) {
  const auto request = protocol::decode<protocol::ProduceRequest>(reader, produce_version);
  MOLDAU_ASSERT(request);
  protocol::ProduceResponse response;
  for (const auto& topic : request->topic_data) {
    auto& topic_response = response.responses.emplace_back();
    topic_response.name = topic.name;
    for (const auto& partition : topic.partition_data) {
      const ByteView batch = partition.records.bytes;
      // The offset is patched in place: the frame is ours.
      store_be(const_cast<std::byte*>(batch.data()), log.end_offset);
      const int64_t base_offset = log.end_offset;
      const uint64_t position = log.size_bytes;
      log.batches.push_back({base_offset, position});
      log.end_offset += load_be<int32_t>(batch.data() + 23) + 1;
      log.size_bytes += batch.size();
      const ByteView parts[] = {batch};
      MOLDAU_ASSERT(co_await log.file->write_at(position, parts));
      auto& partition_response = topic_response.partition_responses.emplace_back();
      partition_response.index = partition.index;
      partition_response.base_offset = base_offset;
      partition_response.log_start_offset = 0;
    }
  }
  answer(answers, correlation_id, response, produce_version);
  log.appended.notify_all();
}

task<void> fetch(FloorLog& log, protocol::Reader& reader, int32_t correlation_id, Answers& answers, Connection& connection) {
  const auto request = protocol::decode<protocol::FetchRequest>(reader, fetch_version);
  MOLDAU_ASSERT(request);
  const auto& topic = request->topics.at(0);
  const auto& partition = topic.partitions.at(0);
  if (partition.fetch_offset >= log.end_offset) {
    co_await answers.send(connection);
    const int64_t deadline_us = runtime::Shard::current().now_us() + request->max_wait_ms * 1000;
    while (partition.fetch_offset >= log.end_offset && co_await log.appended.wait_until(deadline_us)) {
    }
  }
  uint64_t position = log.size_bytes;
  uint64_t size = 0;
  if (partition.fetch_offset < log.end_offset) {
    const auto batch = std::prev(std::ranges::upper_bound(log.batches, partition.fetch_offset, {}, &FloorLog::Batch::offset));
    position = batch->position;
    size = std::min<uint64_t>(log.size_bytes - position, static_cast<uint64_t>(partition.partition_max_bytes));
  }
  protocol::FetchResponse response;
  auto& topic_response = response.responses.emplace_back();
  topic_response.topic = topic.topic;
  auto& partition_response = topic_response.partitions.emplace_back();
  partition_response.partition_index = partition.partition;
  partition_response.high_watermark = log.end_offset;
  partition_response.last_stable_offset = log.end_offset;
  partition_response.log_start_offset = 0;
  partition_response.records = protocol::Records::deferred(static_cast<uint32_t>(size));
  answer(answers, correlation_id, response, fetch_version, log.file, position);
}

task<void> serve(FloorLog& log, std::unique_ptr<Connection> connection) {
  FrameStream frames(*connection);
  Answers answers;
  while (co_await frames.fill()) {
    while (const auto frame = frames.take()) {
      protocol::Reader reader(*frame);
      const int16_t api = reader.int16();
      reader.int16();
      const int32_t correlation_id = reader.int32();
      reader.nullable_string(false, true);
      reader.unsigned_varint();
      if (api == 0)
        co_await produce(log, reader, correlation_id, answers);
      else if (api == 1)
        co_await fetch(log, reader, correlation_id, answers, *connection);
    }
    if (!co_await answers.send(*connection)) break;
  }
}

}  // namespace
}  // namespace moldau::bench

int main(int argc, char** argv) {
  using namespace moldau;
  if (argc != 3) {
    std::fprintf(stderr, "usage: moldau_floor PORT FILE\n");
    return 2;
  }
  const std::string port = argv[1];
  uint16_t number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  bool stop = false;
  runtime::Signal* wake = nullptr;
  const auto environment = runtime::make_real_environment({.on_signal = [&](int) {
    stop = true;
    if (wake != nullptr) wake->notify_all();
  }});
  environment->run([&]() -> runtime::task<void> {
    bench::FloorLog log;
    runtime::Signal stopping;
    wake = &stopping;
    log.file = *co_await environment->files().open(argv[2], runtime::OpenMode::truncate);
    runtime::Scope scope;
    const auto serve = [&](std::unique_ptr<runtime::Connection> connection) { scope.spawn(bench::serve(log, std::move(connection))); };
    // Brokers keep 100 KiB of a connection (`socket.send.buffer.bytes`): so must what they are compared with.
    const auto listener = environment->network().listen({"127.0.0.1", number}, serve, {.send_buffer_bytes = 102400, .receive_buffer_bytes = 102400});
    MOLDAU_ASSERT_MSG(listener, "the port is taken");
    std::puts("ready");
    std::fflush(stdout);
    while (!stop) co_await stopping.wait();
    std::_Exit(0);  // connections may still be open: nothing here needs a clean end
  });
}
