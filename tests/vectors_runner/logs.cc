// logs.jsonl: stories of one partition's log. Each step's answer and the state after it, and at the end the bytes of
// every file, are Kafka's. Where the leader compresses, Moldau's codecs may give other bytes: then the records count.
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "protocol/record_batch.h"
#include "storage/compaction/cleanable_log.h"
#include "storage/log_for_test.h"
#include "vectors_runner/json_lines.h"
#include "vectors_runner/kinds.h"

namespace moldau::vectors {

namespace json = boost::json;
using namespace moldau::storage;
using storage::test::LogWorld;
using storage::test::now;

namespace {

struct Story {
  LogWorld world;
  uint64_t guard = 0;
  bool holds_high_watermark = false;
};

int64_t number(std::string_view text) { return std::stoll(std::string(text)); }

std::string set_config(LogConfig& config, std::string_view key, std::string_view value) {
  if (key == "cleanup.policy") {
    config.is_compacted = value.find("compact") != std::string_view::npos;
    config.is_deleted = value.find("delete") != std::string_view::npos;
  } else if (key == "internal.segment.bytes" || key == "segment.bytes") {
    config.segment_bytes = static_cast<uint32_t>(number(value));
  } else if (key == "segment.ms") {
    config.segment_ms = number(value);
  } else if (key == "segment.jitter.ms") {
    config.segment_jitter_ms = number(value);
  } else if (key == "segment.index.bytes") {
    config.segment_index_bytes = static_cast<uint32_t>(number(value));
  } else if (key == "index.interval.bytes") {
    config.index_interval_bytes = static_cast<uint32_t>(number(value));
  } else if (key == "retention.bytes") {
    config.retention_bytes = number(value);
  } else if (key == "retention.ms") {
    config.retention_ms = number(value);
  } else if (key == "max.message.bytes") {
    config.max_message_bytes = static_cast<int32_t>(number(value));
  } else if (key == "message.timestamp.type") {
    config.timestamp_type = value == "LogAppendTime" ? TimestampType::log_append_time : TimestampType::create_time;
  } else if (key == "message.timestamp.before.max.ms") {
    config.timestamp_before_max_ms = number(value);
  } else if (key == "message.timestamp.after.max.ms") {
    config.timestamp_after_max_ms = number(value);
  } else if (key == "compression.type") {
    config.compression = value == "uncompressed" ? TargetCompression::uncompressed
                         : value == "gzip"       ? TargetCompression::gzip
                         : value == "snappy"     ? TargetCompression::snappy
                         : value == "lz4"        ? TargetCompression::lz4
                         : value == "zstd"       ? TargetCompression::zstd
                                                 : TargetCompression::producer;
  } else if (key == "delete.retention.ms") {
    config.delete_retention_ms = number(value);
  } else {
    return fmt::format("the setting {} is not known here", key);
  }
  return {};
}

json::object refusal(const Error& error) {
  json::object answer{{"ok", false}, {"errorCode", static_cast<int>(error.code)}};
  if (error.record_errors.empty()) return answer;
  json::array records;
  for (const RecordError& record : error.record_errors) records.push_back(record.batch_index);
  answer["recordErrors"] = std::move(records);
  return answer;
}

json::object describe(const log_result<AppendInfo>& info) {
  if (!info) return refusal(info.error());
  return {{"ok", true},
          {"firstOffset", info->first_offset.value()},
          {"lastOffset", info->last_offset.value()},
          {"maxTimestamp", info->max_timestamp_ms},
          {"logAppendTime", info->log_append_time_ms},
          {"logStartOffset", info->log_start_offset.value()}};
}

json::object append(Story& story, const json::object& step) {
  Bytes records = hex_of(step, "hex");
  LeaderAppend append;
  append.records = records;
  append.leader_epoch = LeaderEpoch(static_cast<int32_t>(number_of(step, "leaderEpoch")));
  append.verification_guard = story.guard;
  if (text_of(step, "origin") == "coordinator") {
    append.origin = AppendOrigin::coordinator;
    append.transaction_version = static_cast<int>(number_of(step, "transactionVersion"));
  }
  const auto info = now(story.world.log->append_as_leader(append));
  if (info && !story.holds_high_watermark) story.world.log->update_high_watermark(story.world.log->log_end_offset());
  return describe(info);
}

json::object read(Story& story, const json::object& step) {
  const std::string isolation = text_of(step, "isolation");
  const auto info = now(story.world.log->read(
      Offset(number_of(step, "offset")), static_cast<uint32_t>(number_of(step, "maxBytes")), bool_of(step, "minOneMessage"),
      isolation == "log_end"          ? ReadIsolation::log_end
      : isolation == "high_watermark" ? ReadIsolation::high_watermark
                                      : ReadIsolation::committed));
  if (!info) return refusal(info.error());
  json::object answer{{"ok", true},
                      {"size", int64_t{info->size_bytes}},
                      {"firstEntryIncomplete", info->is_first_batch_incomplete},
                      {"hex", to_hex(storage::test::bytes_of(*info))}};
  if (isolation == "txn_committed") {
    json::array aborted;
    for (const AbortedRange& range : info->aborted)
      aborted.push_back({{"producerId", range.producer_id.value()}, {"firstOffset", range.first_offset.value()}});
    answer["abortedTransactions"] = std::move(aborted);
  }
  return answer;
}

json::object take(Story& story, const json::object& step) {
  Log& log = *story.world.log;
  const std::string what = text_of(step, "do");
  const json::object done{{"ok", true}};
  if (what == "append") return append(story, step);
  if (what == "read") return read(story, step);
  if (what == "follow") {
    const Bytes records = hex_of(step, "hex");
    return describe(
        now(log.append_as_follower(records, LeaderEpoch(static_cast<int32_t>(number_of(step, "leaderEpoch"))))));
  }
  if (what == "advance-clock") {
    story.world.environment.advance_ms(number_of(step, "ms"));
    return done;
  }
  if (what == "become-leader") {
    const auto noted = now(log.assign_epoch_start(LeaderEpoch(static_cast<int32_t>(number_of(step, "leaderEpoch"))),
                                                  log.log_end_offset()));
    return noted ? done : refusal(noted.error());
  }
  if (what == "high-watermark")
    return {{"ok", true}, {"highWatermark", log.update_high_watermark(Offset(number_of(step, "offset"))).value()}};
  if (what == "roll") {
    const auto base = now(log.roll());
    return base ? json::object{{"ok", true}, {"baseOffset", base->value()}} : refusal(base.error());
  }
  if (what == "truncate") {
    const auto cut = now(log.truncate_to(Offset(number_of(step, "offset"))));
    return cut ? json::object{{"ok", true}, {"truncated", *cut}} : refusal(cut.error());
  }
  if (what == "delete-records") {
    const auto moved = now(log.delete_records_before(Offset(number_of(step, "offset"))));
    return moved ? json::object{{"ok", true}, {"moved", *moved}} : refusal(moved.error());
  }
  if (what == "retention") {
    const auto deleted = now(log.delete_old_segments());
    return deleted ? json::object{{"ok", true}, {"deletedSegments", *deleted}} : refusal(deleted.error());
  }
  if (what == "compact") {
    const Offset stable_end = std::min(log.last_stable_offset(), log.active_base_offset());
    const auto found = now(measure_cleanable(log, Offset(number_of(step, "firstDirtyOffset")), story.world.environment.clock_ms));
    if (!found) return refusal(found.error());
    const auto cleaned = now(clean_log(log, found->range, CleaningTerms()));
    if (!cleaned) return refusal(cleaned.error());
    // Kafka's cleaner says 0 where nothing was to clean.
    const bool is_empty = found->range.first_dirty == found->range.first_uncleanable;
    return {{"ok", true},
            {"firstUncleanableOffset", stable_end.value()},
            {"cleanedUpTo", is_empty ? 0 : cleaned->next_dirty.value()}};
  }
  if (what == "take-producer-snapshot") {
    const auto taken = now(log.take_producer_snapshot());
    return taken ? done : refusal(taken.error());
  }
  if (what == "expire-producers") {
    log.expire_producers();
    return done;
  }
  if (what == "offset-for-time") {
    const auto found = now(log.offset_for_timestamp(number_of(step, "timestamp")));
    if (!found) return refusal(found.error());
    const FoundOffset offset = found->value_or(FoundOffset{});
    return {{"ok", true},
            {"offset", offset.offset.value()},
            {"timestamp", offset.timestamp_ms},
            {"leaderEpoch", offset.leader_epoch.value()}};
  }
  if (what == "end-offset-for-epoch") {
    const auto end = log.end_offset_for_epoch(LeaderEpoch(static_cast<int32_t>(number_of(step, "epoch"))));
    return {{"ok", true}, {"epoch", end ? end->epoch.value() : -1}, {"endOffset", end ? end->end_offset.value() : -1}};
  }
  if (what == "start-verification") {
    story.guard = log.start_verification(ProducerId(number_of(step, "producerId")),
                                         static_cast<int32_t>(number_of(step, "sequence")),
                                         ProducerEpoch(static_cast<int16_t>(number_of(step, "epoch"))), false);
    return {{"ok", true}, {"guard", story.guard != 0}};
  }
  return {{"ok", false}, {"unknown step", what}};
}

json::object state(const Log& log) {
  json::array segments;
  for (const SegmentInfo& segment : log.segments()) segments.push_back(segment.base_offset.value());
  std::vector<ActiveProducer> active = log.active_producers();
  std::ranges::sort(active, {}, &ActiveProducer::producer_id);
  json::array producers;
  for (const ActiveProducer& producer : active)
    producers.push_back({{"producerId", producer.producer_id.value()},
                         {"epoch", producer.epoch.value()},
                         {"lastSequence", producer.last_sequence},
                         {"lastTimestamp", producer.last_timestamp_ms},
                         {"coordinatorEpoch", producer.coordinator_epoch},
                         {"currentTxnStartOffset", producer.transaction_start_offset.value()}});
  return {{"logStartOffset", log.log_start_offset().value()},
          {"logEndOffset", log.log_end_offset().value()},
          {"highWatermark", log.high_watermark().value()},
          {"lastStableOffset", log.last_stable_offset().value()},
          {"segments", std::move(segments)},
          {"producers", std::move(producers)}};
}

// Kafka's answer as far as it is compared: texts are its own.
json::object comparable(const json::object& wanted) {
  json::object kept = wanted;
  kept.erase("error");
  if (const json::value* records = wanted.if_contains("recordErrors")) {
    json::array indexes;
    for (const json::value& record : records->as_array()) indexes.push_back(record.at("batchIndex"));
    kept["recordErrors"] = std::move(indexes);
  }
  return kept;
}

// What a log file says apart from how its batches are compressed.
std::string records_of(ByteView file) {
  std::string said;
  protocol::BatchCursor cursor(file);
  while (true) {
    const auto batch = cursor.next();
    if (!batch || !*batch) return said;
    protocol::RecordIterator records((*batch)->bytes);
    const protocol::RecordBatchHeader& header = records.header();
    said += fmt::format("{} {} {} {} {}|", header.base_offset.value(), header.last_offset_delta, header.attributes,
                        header.max_timestamp_ms, header.leader_epoch.value());
    while (true) {
      const auto record = records.next();
      if (!record || *record == nullptr) break;
      said += fmt::format("{} {} {} {};", (*record)->offset.value(), (*record)->timestamp_ms,
                          to_hex((*record)->key.value_or(ByteView())), to_hex((*record)->value.value_or(ByteView())));
    }
  }
}

std::string compare_files(LogWorld& world, const json::object& wanted, bool compares_records) {
  std::set<std::string> names;
  for (const auto& [name, bytes] : wanted) names.insert(name);
  for (const auto& [path, node] : world.environment.disk.files) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (!name.ends_with(".deleted")) names.insert(name);
  }
  for (const std::string& name : names) {
    const auto ours = world.environment.disk.files.find("/data/t-0/" + name);
    if (ours == world.environment.disk.files.end()) return fmt::format("the file {} is missing", name);
    const json::value* theirs = wanted.if_contains(name);
    if (theirs == nullptr) return fmt::format("the file {} should not be there", name);
    const Bytes bytes = from_hex(theirs->as_string());
    if (compares_records && name.ends_with(".log")) {
      if (records_of(ours->second->bytes) != records_of(bytes)) return fmt::format("{} holds other records", name);
      continue;
    }
    if (std::string wrong = difference(ours->second->bytes, bytes); !wrong.empty()) return fmt::format("{}: {}", name, wrong);
  }
  return {};
}

std::string tell(const json::object& line) {
  Story story;
  story.world.producers.verify_transactions = bool_of(line, "transactionVerification");
  const json::object& config = object_of(line, "config");
  for (const auto& [key, value] : config)
    if (std::string wrong = set_config(story.world.config, key, value.as_string()); !wrong.empty()) return wrong;
  story.world.open(story.world.options());
  const json::array& steps = line.at("steps").as_array();
  for (const json::value& step : steps)
    story.holds_high_watermark = story.holds_high_watermark || text_of(step.as_object(), "do") == "high-watermark";
  size_t number = 0;
  for (const json::value& value : steps) {
    const json::object& step = value.as_object();
    ++number;
    const auto where = [&] { return fmt::format("step {} ({})", number, text_of(step, "do")); };
    const json::object answer = take(story, step);
    if (std::string wrong = difference(answer, comparable(object_of(step, "answer"))); !wrong.empty())
      return fmt::format("{}: answer {}", where(), wrong);
    if (std::string wrong = difference(state(*story.world.log), object_of(step, "state")); !wrong.empty())
      return fmt::format("{}: state {}", where(), wrong);
  }
  const auto closed = now(story.world.log->close());
  if (!closed) return closed.error().message;
  story.world.log.reset();
  const json::value* compression = config.if_contains("compression.type");
  return compare_files(story.world, object_of(line, "files"),
                       compression != nullptr && compression->as_string() != "uncompressed");
}

}  // namespace

void check_logs(const std::filesystem::path& path, std::string_view file, Report& report) {
  for_each_line(path, [&](const json::object& line) {
    if (line.contains("file")) return;
    const std::string scenario = text_of(line, "scenario");
    report.add(file, scenario, tell(line));
  });
}

}  // namespace moldau::vectors
