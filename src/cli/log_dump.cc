#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>

#include "base/crc32c.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/log_check.h"
#include "cli/log_files.h"
#include "cli/log_records.h"
#include "cli/record_format.h"
#include "cli/table.h"
#include "cli/units.h"
#include "protocol/legacy_batch.h"
#include "protocol/record_batch.h"

namespace moldau::cli {

namespace {

struct Options {
  std::vector<std::string> paths;
  bool with_records = false;
  std::string decoder = "auto";
  int64_t from_offset = 0;
  int64_t limit = -1;  // batches or entries of a file
};

// One line of output, in both forms.
class Dump {
 public:
  explicit Dump(const Context& context) : is_json_(context.is_json) {}
  void heading(const std::string& path) {
    path_ = path;
    if (!is_json_) print(fmt::format("{}\n", path));
  }
  // The same facts as text and as JSON.
  void line(const std::string& text, boost::json::object json) {
    if (!is_json_) return print("  " + text + "\n");
    json["file"] = path_;
    print_json(json);
  }
  void damage(uint64_t position, const std::string& what) {
    is_damaged_ = true;
    line(fmt::format("@{}: DAMAGED: {}", position, what), {{"position", position}, {"damage", what}});
  }
  [[nodiscard]] bool is_damaged() const { return is_damaged_; }

 private:
  bool is_json_;
  bool is_damaged_ = false;
  std::string path_;
};

std::string shown(const std::optional<ByteView>& bytes) {
  if (!bytes) return "null";
  return is_utf8(as_text(*bytes)) ? printable(as_text(*bytes)) : "0x" + to_hex(*bytes);
}

std::optional<Bytes> copy_of(const std::optional<ByteView>& bytes) {
  return bytes ? std::optional<Bytes>(to_bytes(*bytes)) : std::nullopt;
}

void dump_record(Dump& dump, RecordDecoder decoder, const protocol::RecordBatchHeader& batch,
                 const protocol::Record& record) {
  boost::json::object json{{"offset", record.offset.value()}, {"timestamp", record.timestamp_ms}};
  std::string text = fmt::format("    {} {}", record.offset.value(), instant_text(record.timestamp_ms));
  const boost::json::object decoded = batch.is_control() ? decoded_control_record(record.key, record.value)
                                                         : decoded_record(decoder, record.key, record.value);
  if (!decoded.empty()) {
    text += " " + boost::json::serialize(decoded);
    json["decoded"] = decoded;
  } else {
    text += fmt::format(" key: {} value: {}", shown(record.key), shown(record.value));
    put_bytes(json, "key", copy_of(record.key));
    put_bytes(json, "value", copy_of(record.value));
  }
  boost::json::array headers;
  for (const auto& header : record.headers.decode()) {
    text += fmt::format(" {}: {}", printable(header.key), shown(header.value));
    boost::json::object one{{"name", header.key}};
    put_bytes(one, "value", copy_of(header.value));
    headers.push_back(std::move(one));
  }
  if (!headers.empty()) json["headers"] = std::move(headers);
  dump.line(text, std::move(json));
}

void dump_batch(Dump& dump, const Options& options, RecordDecoder decoder, uint64_t position,
                ByteView bytes) {
  const protocol::RecordBatchHeader header = protocol::read_batch_header(bytes);
  const auto codec = header.codec();
  const std::string codec_text =
      codec ? std::string(protocol::codec_name(*codec)) : fmt::format("codec {}", header.attributes & 7);
  std::string text = fmt::format("@{} offsets {}..{} {} record{} {} {} {} epoch {}", position,
                                 header.base_offset.value(), header.last_offset().value(), header.count,
                                 header.count == 1 ? "" : "s", size_text(bytes.size()), codec_text,
                                 instant_text(header.max_timestamp_ms), header.leader_epoch.value());
  boost::json::object json{
      {"position", position},
      {"size", bytes.size()},
      {"base_offset", header.base_offset.value()},
      {"last_offset", header.last_offset().value()},
      {"count", header.count},
      {"magic", header.magic},
      {"crc", header.crc},
      {"codec", codec_text},
      {"leader_epoch", header.leader_epoch.value()},
      {"base_timestamp", header.base_timestamp_ms},
      {"max_timestamp", header.max_timestamp_ms},
      {"timestamp_type", header.timestamp_type() == protocol::TimestampType::log_append_time
                             ? "log_append_time"
                             : "create_time"},
      {"producer_id", header.producer_id.value()},
      {"producer_epoch", header.producer_epoch.value()},
      {"base_sequence", header.base_sequence},
      {"transactional", header.is_transactional()},
      {"control", header.is_control()}};
  if (header.has_producer_id())
    text += fmt::format(" producer {}:{} sequence {}..{}", header.producer_id.value(),
                        header.producer_epoch.value(), header.base_sequence, header.last_sequence());
  if (header.is_transactional()) text += " transactional";
  if (header.is_control()) text += " control";
  if (header.timestamp_type() == protocol::TimestampType::log_append_time) text += " log-append-time";
  if (const auto horizon = header.delete_horizon_ms()) {
    text += " delete-horizon " + instant_text(*horizon);
    json["delete_horizon"] = *horizon;
  }
  dump.line(text, std::move(json));
  if (!protocol::is_batch_crc_right(bytes)) {
    dump.damage(position, fmt::format("the CRC is wrong: the header says {:08x}, the bytes have {:08x}",
                                      header.crc, protocol::batch_crc(bytes)));
    return;
  }
  if (!options.with_records) return;
  protocol::RecordIterator records(bytes, 1U << 30);
  while (true) {
    const auto record = records.next();
    if (!record) return dump.damage(position, record.error().what);
    if (*record == nullptr) return;
    if ((*record)->offset.value() >= options.from_offset) dump_record(dump, decoder, header, **record);
  }
}

void dump_legacy(Dump& dump, const Options& options, uint64_t position, ByteView bytes) {
  const auto batch = protocol::read_legacy_batch(bytes, 1U << 30);
  if (!batch) return dump.damage(position, batch.error().what);
  dump.line(fmt::format("@{} magic {} {} records {} {}", position, batch->magic, batch->records.size(),
                        size_text(bytes.size()), protocol::codec_name(batch->codec)),
            {{"position", position},
             {"size", bytes.size()},
             {"magic", batch->magic},
             {"count", batch->records.size()},
             {"codec", protocol::codec_name(batch->codec)},
             {"max_timestamp", batch->max_timestamp_ms}});
  if (!batch->is_crc_right) dump.damage(position, "the CRC is wrong");
  for (const auto& record : batch->records) {
    if (!options.with_records || record.offset.value() < options.from_offset) continue;
    boost::json::object json{{"offset", record.offset.value()}, {"timestamp", record.timestamp_ms}};
    put_bytes(json, "key", copy_of(record.key));
    put_bytes(json, "value", copy_of(record.value));
    dump.line(fmt::format("    {} {} key: {} value: {}", record.offset.value(),
                          instant_text(record.timestamp_ms), shown(record.key), shown(record.value)),
              std::move(json));
  }
  if (batch->records_error) dump.damage(position, batch->records_error->what);
}

void dump_segment(Dump& dump, const Options& options, RecordDecoder decoder, ByteView bytes) {
  protocol::BatchCursor cursor(bytes);
  for (int64_t shown_count = 0; options.limit < 0 || shown_count < options.limit;) {
    const uint64_t position = cursor.position();
    const auto next = cursor.next();
    if (!next) return dump.damage(position, why_unframed(bytes.subspan(position), next.error()));
    if (!*next) {
      if (position < bytes.size())
        dump.damage(position,
                    fmt::format("the last {} bytes are a batch that is cut off", bytes.size() - position));
      return;
    }
    const ByteView batch = (*next)->bytes;
    const bool is_legacy = (*next)->magic < 2;
    if (!is_legacy && protocol::read_batch_header(batch).last_offset().value() < options.from_offset)
      continue;
    ++shown_count;
    if (is_legacy)
      dump_legacy(dump, options, position, batch);
    else
      dump_batch(dump, options, decoder, position, batch);
  }
}

bool is_rest_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// Entries of a fixed size, until the zeros that an active segment's index ends in.
template <class DumpEntry>
void dump_entries(Dump& dump, const Options& options, ByteView bytes, size_t entry_bytes,
                  bool may_end_in_zeros, DumpEntry dump_entry) {
  int64_t shown_count = 0;
  for (size_t at = 0; at + entry_bytes <= bytes.size() && (options.limit < 0 || shown_count < options.limit);
       at += entry_bytes, ++shown_count) {
    if (may_end_in_zeros && is_rest_zero(bytes.subspan(at))) {
      dump.line(fmt::format("@{}: {} bytes set aside", at, bytes.size() - at),
                {{"position", at}, {"set_aside", bytes.size() - at}});
      return;
    }
    dump_entry(at, bytes.data() + at);
  }
  if (bytes.size() % entry_bytes != 0)
    dump.damage(bytes.size() - bytes.size() % entry_bytes, "the last entry is cut off");
}

void dump_indexes(Dump& dump, const Options& options, const LogFile& file, ByteView bytes) {
  if (file.kind == LogFile::Kind::offset_index) {
    return dump_entries(dump, options, bytes, offset_index_entry_bytes, true,
                        [&](size_t, const std::byte* at) {
                          const int64_t offset = file.base_offset + load_be<int32_t>(at);
                          const auto position = load_be<int32_t>(at + 4);
                          dump.line(fmt::format("offset {} at {}", offset, position),
                                    {{"offset", offset}, {"position", position}});
                        });
  }
  if (file.kind == LogFile::Kind::time_index) {
    return dump_entries(dump, options, bytes, time_index_entry_bytes, true, [&](size_t, const std::byte* at) {
      const auto timestamp = load_be<int64_t>(at);
      const int64_t offset = file.base_offset + load_be<int32_t>(at + 8);
      dump.line(fmt::format("{} offset {}", instant_text(timestamp), offset),
                {{"timestamp", timestamp}, {"offset", offset}});
    });
  }
  dump_entries(dump, options, bytes, transaction_index_entry_bytes, false, [&](size_t, const std::byte* at) {
    const auto producer = load_be<int64_t>(at + 2);
    const auto first = load_be<int64_t>(at + 10);
    const auto last = load_be<int64_t>(at + 18);
    const auto stable = load_be<int64_t>(at + 26);
    dump.line(fmt::format("producer {} aborted {}..{} last stable offset {}", producer, first, last, stable),
              {{"producer_id", producer},
               {"first_offset", first},
               {"last_offset", last},
               {"last_stable_offset", stable}});
  });
}

void dump_producers(Dump& dump, const Options& options, const LogFile& file, ByteView bytes) {
  std::vector<Damage> damage;
  check_producer_snapshot(file.path, bytes, damage);
  for (const Damage& one : damage) dump.damage(one.position, one.what);
  if (bytes.size() < producer_snapshot_header_bytes) return;
  dump_entries(dump, options, bytes.subspan(producer_snapshot_header_bytes), producer_snapshot_entry_bytes,
               false, [&](size_t, const std::byte* at) {
                 const auto id = load_be<int64_t>(at);
                 const auto epoch = load_be<int16_t>(at + 8);
                 const auto sequence = load_be<int32_t>(at + 10);
                 const auto last_offset = load_be<int64_t>(at + 14);
                 const auto delta = load_be<int32_t>(at + 22);
                 const auto timestamp = load_be<int64_t>(at + 26);
                 const auto coordinator_epoch = load_be<int32_t>(at + 34);
                 const auto first_open = load_be<int64_t>(at + 38);
                 dump.line(
                     fmt::format("producer {}:{} last sequence {} offsets {}..{} {}{}", id, epoch, sequence,
                                 last_offset - delta, last_offset, instant_text(timestamp),
                                 first_open >= 0 ? fmt::format(" open transaction from {}", first_open) : ""),
                     {{"producer_id", id},
                      {"producer_epoch", epoch},
                      {"last_sequence", sequence},
                      {"last_offset", last_offset},
                      {"offset_delta", delta},
                      {"timestamp", timestamp},
                      {"coordinator_epoch", coordinator_epoch},
                      {"current_transaction_first_offset", first_open}});
               });
}

void dump_text(Dump& dump, ByteView bytes) {
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string line(text.substr(0, end));
    dump.line(printable(line), {{"line", line}});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

ExitCode dump_all(const Context& context, const Options& options) {
  Dump dump(context);
  for (const std::string& path : options.paths) {
    const auto files = find_log_files(path);
    if (!files) {
      complain(context, files.error(),
               "Give a segment, an index, a snapshot, a partition's folder or a whole log directory");
      return ExitCode::usage;
    }
    for (const LogFile& file : *files) {
      const auto mapped = MappedFile::open(file.path);
      if (!mapped) {
        complain(context, mapped.error(), "May this user read it?");
        return ExitCode::failed;
      }
      dump.heading(file.path);
      RecordDecoder decoder = decoder_for(file.topic);
      if (options.decoder == "metadata") decoder = RecordDecoder::metadata;
      if (options.decoder == "groups") decoder = RecordDecoder::groups;
      if (options.decoder == "transactions") decoder = RecordDecoder::transactions;
      if (options.decoder == "shares") decoder = RecordDecoder::shares;
      if (options.decoder == "none") decoder = RecordDecoder::none;
      switch (file.kind) {
        case LogFile::Kind::segment:
          dump_segment(dump, options, decoder, mapped->bytes());
          break;
        case LogFile::Kind::producer_snapshot:
          dump_producers(dump, options, file, mapped->bytes());
          break;
        case LogFile::Kind::text:
          dump_text(dump, mapped->bytes());
          break;
        default:
          dump_indexes(dump, options, file, mapped->bytes());
      }
      if (std::ferror(stdout) != 0) return ExitCode::ok;  // nobody reads any more
    }
  }
  return dump.is_damaged() ? ExitCode::damaged : ExitCode::ok;
}

}  // namespace

void add_log_dump(Command log, Context& context) {
  auto options = std::make_shared<Options>();
  Command command =
      log.add_command("dump", "Print what stands in segments, indexes, snapshots and checkpoints");
  command
      .add_option("path", options->paths,
                  "A file, a partition's folder or a log directory; several may be given")
      .required();
  command.add_flag("-r,--records", options->with_records, "With the records of each batch");
  command
      .add_option(
          "--decode", options->decoder,
          "Read records as those of: metadata, groups, transactions, shares, none; auto: by the topic's name")
      .one_of({"auto", "metadata", "groups", "transactions", "shares", "none"})
      .shows_default();
  command.add_option("--from-offset", options->from_offset, "Leave out what lies before this offset")
      .not_negative();
  command.add_option("-n,--limit", options->limit, "At most so many batches or entries of each file")
      .not_negative();
  command.runs([options, &context] { return dump_all(context, *options); });
}

}  // namespace moldau::cli
