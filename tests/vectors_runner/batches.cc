// batches.jsonl: what reading a run of batches finds, and what a leader says of them.
//
// Produce refuses everything but one batch of magic 2, so a leader's append is compared only for those. Where
// Kafka fails with UNKNOWN_SERVER_ERROR by accident, any refusal will do.
#include <fmt/format.h>

#include <algorithm>

#include "protocol/batch_validation.h"
#include "protocol/control_record.h"
#include "protocol/json/base64.h"
#include "protocol/legacy_batch.h"
#include "protocol/record_batch.h"
#include "vectors_runner/json_lines.h"
#include "vectors_runner/kinds.h"
#include "vectors_runner/sha256.h"

namespace moldau::vectors {

namespace json = boost::json;
using namespace moldau::protocol;

namespace {

constexpr LeaderEpoch leader_epoch{3};
constexpr size_t shown_value_max_bytes = 1024;

void put_bytes(json::object& out, std::string_view name, std::optional<ByteView> bytes) {
  if (bytes && bytes->size() > shown_value_max_bytes) {
    out[std::string(name) + "Size"] = bytes->size();
    out[std::string(name) + "Sha256"] = sha256_hex(*bytes);
  } else {
    out[name] = bytes ? json::value(json::string(to_base64(*bytes))) : json::value(nullptr);
  }
}

size_t utf8_length(unsigned char first) {
  return first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
}

// Java reads each byte that is not UTF-8 as U+FFFD.
std::string java_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = utf8_length(static_cast<unsigned char>(text.front()));
    const auto is_continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    const bool is_whole = length > 0 && length <= text.size() &&
                          std::ranges::all_of(text.substr(1, length - 1), is_continuation);
    out += is_whole ? text.substr(0, length) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(is_whole ? length : 1);
  }
  return out;
}

json::object describe(const RecordBatchHeader& header, const Record& record) {
  json::object out;
  out["offset"] = record.offset.value();
  out["timestamp"] = record.timestamp_ms;
  if (record.offset_delta >= 0)
    out["sequence"] =
        header.base_sequence < 0 ? -1 : advance_sequence(header.base_sequence, record.offset_delta);
  out["sizeInBytes"] = record.size_bytes;
  put_bytes(out, "key", record.key);
  put_bytes(out, "value", record.value);
  json::array headers;
  for (const RecordHeader& one : record.headers.decode()) {
    json::object described{{"key", java_text(one.key)}};
    put_bytes(described, "value", one.value);
    headers.push_back(std::move(described));
  }
  out["headers"] = std::move(headers);
  if (header.is_control() && record.key) {
    if (const auto type = control_record_type(*record.key)) out["controlType"] = control_record_name(*type);
  }
  return out;
}

// The records that can be read, and whether all could.
struct ReadRecords {
  json::array records;
  bool is_whole = true;
};

ReadRecords read_records(ByteView batch) {
  ReadRecords read;
  RecordIterator records(batch);
  while (true) {
    const auto record = records.next();
    read.is_whole = record.has_value();
    if (!record || *record == nullptr) return read;
    read.records.push_back(describe(records.header(), **record));
  }
}

std::string compare_fields(const json::object& got, const json::object& wanted) {
  for (const auto& [name, value] : got) {
    const json::value* theirs = wanted.if_contains(name);
    if (std::string wrong = difference(value, theirs == nullptr ? json::value(nullptr) : *theirs);
        !wrong.empty())
      return std::string(name) + wrong;
  }
  return {};
}

std::string compare_records(const ReadRecords& got, const json::object& wanted) {
  if (got.is_whole == wanted.contains("recordsError"))
    return got.is_whole ? "all records read" : "a record is refused";
  const json::array& theirs = wanted.at("records").as_array();
  if (theirs.size() != got.records.size())
    return fmt::format("reads {} records, not {}", got.records.size(), theirs.size());
  for (size_t i = 0; i < theirs.size(); ++i) {
    json::object record = theirs[i].as_object();
    record.erase("controlError");  // its key is too short: then there is no controlType either
    const json::object& ours = got.records[i].as_object();
    if (!ours.contains("sequence"))
      record.erase("sequence");  // of a negative offset delta: nothing that anyone reads
    if (std::string wrong = difference(json::value(ours), json::value(record)); !wrong.empty())
      return fmt::format("record {}: {}", i, wrong);
  }
  return {};
}

std::string check_batch(ByteView batch, const json::object& wanted) {
  const RecordBatchHeader header = read_batch_header(batch);
  const bool is_append_time = header.timestamp_type() == TimestampType::log_append_time;
  json::object got{{"magic", header.magic},
                   {"baseOffset", header.base_offset.value()},
                   {"lastOffset", header.last_offset().value()},
                   {"nextOffset", header.next_offset().value()},
                   {"sizeInBytes", batch.size()},
                   {"crc", header.crc},
                   {"partitionLeaderEpoch", header.leader_epoch.value()},
                   {"timestampType", is_append_time ? "LogAppendTime" : "CreateTime"},
                   {"maxTimestamp", header.max_timestamp_ms},
                   {"baseTimestamp", header.base_timestamp_ms},
                   {"transactional", header.is_transactional()},
                   {"control", header.is_control()},
                   {"producerId", header.producer_id.value()},
                   {"producerEpoch", header.producer_epoch.value()},
                   {"baseSequence", header.base_sequence},
                   {"lastSequence", header.last_sequence()},
                   {"count", header.count},
                   {"valid", is_batch_crc_right(batch)}};
  got["deleteHorizonMs"] =
      header.delete_horizon_ms() ? json::value(*header.delete_horizon_ms()) : json::value(nullptr);
  if (const auto codec = header.codec()) got["compression"] = codec_name(*codec);
  if (std::string wrong = compare_fields(got, wanted); !wrong.empty()) return wrong;

  if (std::string wrong = compare_records(read_records(batch), wanted); !wrong.empty()) return wrong;
  if (wanted.contains("offsetOfMaxTimestamp")) {
    const auto offset = offset_of_max_timestamp(batch);
    if (!offset) return wanted.contains("recordsError") ? "" : "no offset of the greatest timestamp";
    const json::value ours = *offset ? json::value((*offset)->value()) : json::value(nullptr);
    if (std::string wrong = difference(ours, wanted.at("offsetOfMaxTimestamp")); !wrong.empty())
      return "offsetOfMaxTimestamp" + wrong;
  }
  return {};
}

std::string check_legacy_batch(const LegacyBatch& batch, ByteView bytes, const json::object& wanted) {
  static constexpr std::string_view time_types[] = {"NoTimestampType", "CreateTime", "LogAppendTime"};
  json::object got{{"magic", batch.magic},
                   {"sizeInBytes", bytes.size()},
                   {"crc", batch.crc},
                   {"timestampType", time_types[static_cast<int>(batch.timestamp_type) + 1]},
                   {"maxTimestamp", batch.max_timestamp_ms},
                   {"compression", codec_name(batch.codec)},
                   {"valid", batch.is_crc_right}};
  if (!batch.records_error) {
    got["baseOffset"] = batch.base_offset().value();
    got["lastOffset"] = batch.last_offset.value();
  }
  if (std::string wrong = compare_fields(got, wanted); !wrong.empty()) return wrong;
  ReadRecords read;
  read.is_whole = !batch.records_error;
  for (const LegacyRecord& record : batch.records) {
    json::object described{{"offset", record.offset.value()},
                           {"timestamp", record.timestamp_ms},
                           {"sizeInBytes", record.size_bytes}};
    put_bytes(described, "key", record.key);
    put_bytes(described, "value", record.value);
    read.records.push_back(std::move(described));
  }
  return compare_records(read, wanted);
}

std::string check_reading(ByteView bytes, const json::object& line) {
  const json::array& wanted = line.at("batches").as_array();
  BatchCursor cursor(bytes);
  for (size_t index = 0;; ++index) {
    const auto next = cursor.next();
    std::optional<LegacyBatch> legacy;
    bool is_refused = !next.has_value();
    if (next && *next && (*next)->magic < 2) {
      auto read = read_legacy_batch((*next)->bytes);
      is_refused = !read.has_value();
      if (read) legacy = std::move(*read);
    }
    if (is_refused || !*next) {
      if (index < wanted.size()) return fmt::format("finds {} batches, not {}", index, wanted.size());
      if (is_refused != line.contains("batchesError"))
        return is_refused ? "refuses the next batch" : "finds no fault";
      return {};
    }
    if (index == wanted.size()) return "finds more batches";
    const json::object& theirs = wanted[index].as_object();
    const std::string wrong =
        legacy ? check_legacy_batch(*legacy, (*next)->bytes, theirs) : check_batch((*next)->bytes, theirs);
    if (!wrong.empty()) return fmt::format("batch {}: {}", index, wrong);
  }
}

std::string compare_refusal(const BatchRejection& got, const json::object& wanted) {
  const int64_t code = number_of(wanted, "errorCode");
  if (code != -1 && static_cast<int64_t>(got.code) != code)
    return fmt::format("{} ({}), not {}", static_cast<int16_t>(got.code), got.message, code);
  if (const json::value* theirs = find(wanted, "recordErrors")) {
    const json::array& errors = theirs->as_array();
    if (errors.size() != got.record_errors.size())
      return fmt::format("{} record errors", got.record_errors.size());
    for (size_t i = 0; i < errors.size(); ++i)
      if (number_of(errors[i].as_object(), "batchIndex") != got.record_errors[i].batch_index)
        return "other records are refused";
  }
  return {};
}

std::string compare_written(ByteView got, const ValidatedBatch& validated, const Bytes& sent,
                            const json::object& wanted) {
  if (number_of(wanted, "firstOffset") != validated.header.base_offset.value() ||
      number_of(wanted, "lastOffset") != validated.header.last_offset().value())
    return "other offsets";
  if (number_of(wanted, "maxTimestamp") != validated.header.max_timestamp_ms)
    return "another greatest timestamp";
  if (number_of(wanted, "writtenSize") != static_cast<int64_t>(got.size())) return "another size";
  if (wanted.contains("written")) return difference(got, hex_of(wanted, "written"));
  if (sent.size() > shown_value_max_bytes / 2) return {};  // too long to be shown
  return difference(got, sent);
}

std::string check_append(Bytes bytes, AppendOrigin origin, int64_t clock_ms, const json::object& wanted) {
  const Bytes sent = bytes;
  BatchCursor cursor(bytes);
  const auto next = cursor.next();
  if (!next || !*next || (*next)->magic != 2) return bool_of(wanted, "ok") ? "is no batch of magic 2" : "";
  const MutableByteView batch = MutableByteView(bytes).first((*next)->bytes.size());
  const auto validated =
      validate_batch(batch, origin, ValidationSettings{}, Offset(0), leader_epoch, clock_ms);
  if (validated.has_value() != bool_of(wanted, "ok"))
    return validated ? "is taken" : fmt::format("is refused: {}", validated.error().message);
  if (!validated) return compare_refusal(validated.error(), wanted);
  return compare_written(validated->rewritten ? ByteView(*validated->rewritten) : ByteView(batch), *validated,
                         sent, wanted);
}

// What a Produce request gets in the end: the request's own check, then the append's.
std::string check_produce(const Bytes& bytes, int64_t clock_ms, const json::object& line) {
  constexpr int16_t produce_version = 13;
  const json::object& request_verdict = object_of(line, "produceCheck");
  const json::object& append_verdict = object_of(line, "append");
  const auto single = single_produced_batch(bytes, produce_version);
  if (!bool_of(request_verdict, "ok"))
    return single ? "the request is taken" : compare_refusal(single.error(), request_verdict);
  if (!single) {
    if (bool_of(append_verdict, "ok")) return "the request is refused: " + single.error().message;
    return compare_refusal(single.error(), append_verdict);
  }
  return check_append(to_bytes(*single), AppendOrigin::client, clock_ms, append_verdict);
}

}  // namespace

void check_batches(const std::filesystem::path& path, std::string_view file, Report& report) {
  int64_t clock_ms = 0;
  for_each_line(path, [&](const json::object& line) {
    if (line.contains("clock")) {
      clock_ms = number_of(line, "clock");
      return;
    }
    const std::string name = text_of(line, "case");
    const Bytes bytes = hex_of(line, "hex");
    report.add(file, name + ":read", check_reading(bytes, line));
    report.add(file, name + ":produce", check_produce(bytes, clock_ms, line));
    if (find(line, "appendAsCoordinator") != nullptr)
      report.add(
          file, name + ":coordinator",
          check_append(bytes, AppendOrigin::coordinator, clock_ms, object_of(line, "appendAsCoordinator")));
    if (find(line, "appendAsRaftLeader") != nullptr)
      report.add(
          file, name + ":raft-leader",
          check_append(bytes, AppendOrigin::raft_leader, clock_ms, object_of(line, "appendAsRaftLeader")));
  });
}

}  // namespace moldau::vectors
