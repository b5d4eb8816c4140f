// Random requests, times and outcomes of appends against one coordinator shard. Nothing may crash; a request is answered
// at most once; and after every input a replay of the log gives the same offsets.

#include <cstddef>
#include <cstdint>
#include <map>

#include "base/assert.h"
#include "base/log.h"
#include "groups/coordinator_shard.h"
#include "protocol/reader.h"

namespace moldau::groups {
namespace {

struct Fuzzed {
  CoordinatorShard shard{{.max_group_size = 5}, [this] { return ++random; }};
  std::vector<CoordinatorRecord> log;
  std::vector<Append> waiting;
  std::map<ReplyToken, bool> answered;
  uint64_t random = 0;
  int64_t now_ms = 1'000'000;
  ReplyToken last_token = 0;

  void take(Output output) {
    for (const Reply& reply : output.replies) {
      const auto at = answered.find(reply.token);
      MOLDAU_ASSERT_MSG(at != answered.end() && !at->second, "an answer belongs to one request and comes once");
      at->second = true;
    }
    for (Append& append : output.appends) {
      MOLDAU_ASSERT(!append.records.empty());
      waiting.push_back(std::move(append));
    }
  }
  void decide(uint8_t how) {
    if (waiting.empty()) return;
    Append append = std::move(waiting.front());
    waiting.erase(waiting.begin());
    if (how % 8 == 0) return take(shard.on_append_failed(append.id, ErrorCode::not_enough_replicas, now_ms));
    if (how % 8 == 1) take(shard.on_commit_timed_out(append.id, now_ms));
    for (CoordinatorRecord& record : append.records) log.push_back(std::move(record));
    take(shard.on_committed(append.id, now_ms));
  }
};

template <class Message>
bool send(Fuzzed& fuzzed, protocol::Reader& reader, int16_t version) {
  version = static_cast<int16_t>(Message::valid_versions.min +
                                 version % (Message::valid_versions.max - Message::valid_versions.min + 1));
  auto message = protocol::decode<Message>(reader, version);
  if (!message) return false;
  const Call call{++fuzzed.last_token, version, "fuzz", "/127.0.0.1"};
  fuzzed.answered[call.token] = false;
  Output output = fuzzed.shard.step(call, std::move(*message), fuzzed.now_ms);
  fuzzed.take(std::move(output));
  return true;
}

bool send_fetch(Fuzzed& fuzzed, protocol::Reader& reader, bool require_stable) {
  auto message = protocol::decode<protocol::OffsetFetchRequest>(reader, 9);
  if (!message) return false;
  for (const auto& group : message->groups) {
    const Call call{++fuzzed.last_token, 9, "fuzz", "/127.0.0.1"};
    fuzzed.answered[call.token] = false;
    fuzzed.take(fuzzed.shard.step(call, OffsetFetchGroup{group, require_stable}, fuzzed.now_ms));
  }
  return true;
}

bool act(Fuzzed& fuzzed, protocol::Reader& reader, uint8_t what, uint8_t detail) {
  switch (what % 12) {
    case 0: return send<protocol::JoinGroupRequest>(fuzzed, reader, detail);
    case 1: return send<protocol::SyncGroupRequest>(fuzzed, reader, detail);
    case 2: return send<protocol::HeartbeatRequest>(fuzzed, reader, detail);
    case 3: return send<protocol::LeaveGroupRequest>(fuzzed, reader, detail);
    case 4: return send<protocol::DescribeGroupsRequest>(fuzzed, reader, detail);
    case 5: return send<protocol::ListGroupsRequest>(fuzzed, reader, detail);
    case 6: return send<protocol::DeleteGroupsRequest>(fuzzed, reader, detail);
    case 7: return send<protocol::OffsetCommitRequest>(fuzzed, reader, detail);
    case 8: return send_fetch(fuzzed, reader, detail % 2 == 0);
    case 9: return send<protocol::OffsetDeleteRequest>(fuzzed, reader, detail);
    case 10: fuzzed.decide(detail); return true;
    default:
      fuzzed.now_ms += int64_t{detail} * detail * 100;
      fuzzed.take(fuzzed.shard.tick(fuzzed.now_ms));
      return true;
  }
}

std::map<std::string, int64_t> offsets_of(const CoordinatorShard& shard) {
  std::map<std::string, int64_t> offsets;
  shard.for_each_offset([&](const std::string& group, const std::string& topic, int32_t partition,
                            const CommittedOffset& offset) {
    offsets[group + '\0' + topic + '\0' + std::to_string(partition)] = offset.offset;
  });
  return offsets;
}

// A log of hostile records: the first half of the input, cut into keys and values.
void replay_hostile(ByteView bytes) {
  CoordinatorShard shard({}, [] { return uint64_t{0}; });
  protocol::Reader reader(bytes);
  while (reader.remaining() > 2 && !reader.failed()) {
    const ByteView key = reader.take(std::min<std::size_t>(reader.remaining(), static_cast<uint8_t>(reader.int8()) % 64));
    if (reader.remaining() == 0) break;
    const ByteView value = reader.take(std::min<std::size_t>(reader.remaining() - 1, static_cast<uint8_t>(reader.int8())));
    shard.replay(key, value.empty() ? std::optional<ByteView>() : value, value.size() % 3 == 0 ? 7 : -1);
  }
  shard.replay_transaction_marker(7, true);
  (void)shard.finish_loading(0);
  (void)shard.tick(100'000'000'000);
  (void)shard.durable_state();
}

}  // namespace
}  // namespace moldau::groups

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau;
  using namespace moldau::groups;
  set_log_level(LogLevel::off);
  const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  if (size > 0 && data[0] == 0xFF) {
    replay_hostile(bytes.subspan(1));
    return 0;
  }
  Fuzzed fuzzed;
  fuzzed.take(fuzzed.shard.finish_loading(fuzzed.now_ms));
  protocol::Reader reader(bytes);
  for (int steps = 0; steps < 200 && reader.remaining() > 2; ++steps) {
    const auto what = static_cast<uint8_t>(reader.int8());
    const auto detail = static_cast<uint8_t>(reader.int8());
    if (!act(fuzzed, reader, what, detail)) break;
  }
  while (!fuzzed.waiting.empty()) fuzzed.decide(2);
  CoordinatorShard fresh({}, [] { return uint64_t{0}; });
  for (const CoordinatorRecord& record : fuzzed.log) {
    const auto value = record.value ? std::optional<ByteView>(*record.value) : std::nullopt;
    MOLDAU_ASSERT_MSG(fresh.replay(record.key, value), "the coordinator reads what it writes");
  }
  MOLDAU_ASSERT_MSG(offsets_of(fresh) == offsets_of(fuzzed.shard), "a restart finds the same offsets");
  fuzzed.take(fuzzed.shard.unload());
  return 0;
}
