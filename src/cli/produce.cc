#include <fmt/core.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/key_value.h"
#include "cli/line_source.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/units.h"
#include "client/producer.h"

namespace moldau::cli {

namespace {

struct Options {
  std::string topic;
  std::string key_separator;
  std::string null_text;
  bool has_null_text = false;
  std::vector<std::string> headers;
  std::string acks = "all";
  bool without_idempotence = false;
  std::string codec = "none";
  double rate = 0;
  int32_t partition = -1;
  int64_t batch_bytes = 64 * 1024;
  int64_t linger_ms = 5;
  bool no_create = false;
};

struct Tally {
  int64_t sent = 0;
  int64_t written = 0;
  int64_t bytes = 0;
  int64_t failed = 0;
  std::optional<client::Error> first_error;
};

std::optional<Bytes> bytes_or_null(const Options& options, std::string_view text) {
  if (options.has_null_text && text == options.null_text) return std::nullopt;
  return to_bytes(text);
}

client::OutgoingRecord record_of(const Options& options,
                                 const std::vector<std::pair<std::string, std::string>>& headers,
                                 std::string_view line) {
  client::OutgoingRecord record{.topic = options.topic};
  if (options.partition >= 0) record.partition = options.partition;
  if (!options.key_separator.empty()) {
    // Without the separator a line is a value alone, as in kcat.
    if (const size_t at = line.find(options.key_separator); at != std::string_view::npos) {
      record.key = bytes_or_null(options, line.substr(0, at));
      line.remove_prefix(at + options.key_separator.size());
    }
  }
  record.value = bytes_or_null(options, line);
  for (const auto& [name, value] : headers) record.headers.emplace_back(name, to_bytes(value));
  return record;
}

void report(const Context& context, const Options& options, const Tally& tally, double seconds) {
  if (context.is_json) {
    print_json(boost::json::object{{"topic", options.topic},
                                   {"written", tally.written},
                                   {"failed", tally.failed},
                                   {"bytes", tally.bytes},
                                   {"seconds", seconds}});
  } else if (is_error_terminal() || tally.failed > 0) {
    fmt::print(stderr, "Wrote {} record{} ({}) to {} in {}.\n", count_text(tally.written),
               tally.written == 1 ? "" : "s", size_text(static_cast<uint64_t>(tally.bytes)), options.topic,
               duration_text(static_cast<int64_t>(seconds * 1000)));
  }
}

task<ExitCode> produce(const Context& context, const Options& options,
                       client::ProducerOptions producer_options,
                       std::vector<std::pair<std::string, std::string>> headers, client::Cluster& cluster,
                       StopRequest& stop) {
  // A topic that is not there should be known before the first line is typed.
  const auto topic = co_await cluster.topic(options.topic, producer_options.allow_auto_create);
  if (!topic) co_return fail_with(context, topic.error());
  if (::isatty(STDIN_FILENO) == 1 && is_error_terminal())
    fmt::print(stderr, "Each line is a record of {}. Ctrl-D ends.\n", options.topic);

  client::Producer producer(cluster, producer_options);
  LineSource lines(STDIN_FILENO, stop);
  Tally tally;
  Progress progress(!context.is_json && ::isatty(STDIN_FILENO) != 1);
  runtime::Shard& shard = runtime::Shard::current();
  double due_us = static_cast<double>(shard.now_us());
  while (!tally.first_error) {
    const std::optional<std::string> line = co_await lines.next();
    if (!line) break;
    if (options.rate > 0) {
      const auto now_us = static_cast<double>(shard.now_us());
      if (due_us > now_us + 1000) co_await runtime::sleep_ms(static_cast<int64_t>((due_us - now_us) / 1000));
      due_us = std::max(due_us, now_us - 1e6) + 1e6 / options.rate;
    }
    client::OutgoingRecord record = record_of(options, headers, *line);
    const auto size = static_cast<int64_t>(line->size());
    const auto queued = co_await producer.send(std::move(record), [&tally, size](const auto& outcome) {
      if (outcome) {
        ++tally.written;
        tally.bytes += size;
      } else {
        ++tally.failed;
        if (!tally.first_error) tally.first_error = outcome.error();
      }
    });
    if (!queued) {
      ++tally.failed;
      if (!tally.first_error) tally.first_error = queued.error();
      break;
    }
    // Nothing more for the moment: let answers in between two reads of a long file as well.
    if (++tally.sent % 64 == 0) co_await runtime::yield();
    if (progress.is_due())
      progress.show(fmt::format(
          "{} records, {}, {}/s", count_text(tally.written), size_text(static_cast<uint64_t>(tally.bytes)),
          count_text(static_cast<int64_t>(static_cast<double>(tally.written) / progress.seconds()))));
  }
  co_await producer.close();
  progress.clear();
  report(context, options, tally, progress.seconds());
  if (tally.first_error) co_return fail_with(context, *tally.first_error);
  co_return stop.is_requested ? ExitCode::interrupted : ExitCode::ok;
}

// The producer's options, or null after complaining.
std::optional<client::ProducerOptions> producer_options_of(const Context& context, const Options& options) {
  client::ProducerOptions producer;
  if (options.acks == "all" || options.acks == "-1")
    producer.acks = -1;
  else if (options.acks == "1" || options.acks == "0")
    producer.acks = static_cast<int16_t>(options.acks.front() - '0');
  else {
    complain(context, fmt::format("'{}' is no number of acknowledgements", options.acks),
             "Write --acks all, 1 or 0");
    return std::nullopt;
  }
  const auto codec = protocol::parse_codec(options.codec);
  if (!codec) {
    complain(context, fmt::format("there is no codec '{}'", options.codec),
             "Write --codec none, gzip, snappy, lz4 or zstd");
    return std::nullopt;
  }
  producer.codec = *codec;
  producer.idempotent = producer.acks == -1 && !options.without_idempotence;
  producer.batch_max_bytes = static_cast<size_t>(options.batch_bytes);
  producer.linger_ms = options.linger_ms;
  producer.allow_auto_create = !options.no_create;
  return producer;
}

}  // namespace

void add_produce(Command app, Context& context) {
  auto options = std::make_shared<Options>();
  Command command = app.add_command("produce", "Write the lines of standard input as records");
  command.add_option("topic", options->topic, "The topic").required();
  command.add_option("-K,--key-separator", options->key_separator,
                     "What stands between key and value in a line");
  const Argument null_text =
      command.add_option("--null", options->null_text, "A key or value of this text is null");
  command.add_option("-H,--header", options->headers, "A header of each record, name=value; may be repeated");
  command
      .add_option("-p,--partition", options->partition,
                  "Always this partition (default: by the key, as Java clients do)")
      .not_negative();
  command
      .add_option("-a,--acks", options->acks,
                  "Who must have a record: all in-sync replicas, the leader (1), nobody (0)")
      .shows_default();
  command.add_flag("--no-idempotence", options->without_idempotence,
                   "Without sequence numbers (which --acks all has and which keep a repeated send from "
                   "being stored twice)");
  command.add_option("-z,--codec", options->codec, "none, gzip, snappy, lz4 or zstd").shows_default();
  command.add_option("--rate", options->rate, "At most so many records a second").positive();
  command.add_option("--batch-bytes", options->batch_bytes, "How large a batch may become before compression")
      .between(1, 1 << 30)
      .shows_default();
  command.add_option("--linger-ms", options->linger_ms, "How long a batch waits for more records")
      .between(0, 60'000)
      .shows_default();
  command.add_flag("--no-create", options->no_create,
                   "Fail if the topic is not there, also where brokers create topics");
  command.runs([options, null_text, &context] {
    options->has_null_text = null_text.is_given();
    const auto producer = producer_options_of(context, *options);
    if (!producer) return ExitCode::usage;
    std::vector<std::pair<std::string, std::string>> headers;
    for (const std::string& header : options->headers) {
      auto parsed = parse_key_value(header);
      if (!parsed) {
        complain(context, fmt::format("'{}' is no header", header), "Write --header name=value");
        return ExitCode::usage;
      }
      headers.push_back(std::move(*parsed));
    }
    return run_until_stopped(context, [&](client::Cluster& cluster, StopRequest& stop) {
      return produce(context, *options, *producer, headers, cluster, stop);
    });
  });
}

}  // namespace moldau::cli
