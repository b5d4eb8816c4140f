#include "cli/consume.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/units.h"

namespace moldau::cli {

namespace {

using client::Error;
using client::TopicPartition;

struct Start {
  int64_t offset = 0;
  int64_t end = 0;  // when it was looked up
};

// Where each partition is read from, and where it ends now.
task<client::client_result<std::map<TopicPartition, Start>>> find_starts(const ConsumeOptions& options,
                                                                         client::Cluster& cluster) {
  MOLDAU_CO_TRY(const auto topic, co_await cluster.topic(options.from.topic));
  std::vector<int32_t> partitions = options.from.partitions;
  if (partitions.empty()) {
    for (size_t i = 0; i < topic.partitions.size(); ++i) partitions.push_back(static_cast<int32_t>(i));
  }
  std::vector<client::OffsetQuery> queries;
  int64_t instant_ms = client::latest_offset;
  if (options.since_ms) {
    instant_ms = *options.since_ms >= 0
                     ? *options.since_ms
                     : std::max<int64_t>(0, cluster.environment().wall_clock_ms() + *options.since_ms);
  }
  for (const int32_t partition : partitions) {
    const TopicPartition wanted{options.from.topic, partition};
    queries.push_back({wanted, client::earliest_offset});
    queries.push_back({wanted, client::latest_offset});
    queries.push_back({wanted, instant_ms});
  }
  MOLDAU_CO_TRY(const auto found, co_await client::find_offsets(cluster, queries, options.isolation));
  std::map<TopicPartition, Start> starts;
  for (size_t i = 0; i < partitions.size(); ++i) {
    for (size_t j = 0; j < 3; ++j) {
      if (found[3 * i + j].error) co_return fail(*found[3 * i + j].error);
    }
    const int64_t first = found[3 * i].offset;
    const int64_t end = found[3 * i + 1].offset;
    int64_t offset = end;
    if (options.from_beginning)
      offset = first;
    else if (options.offset)
      offset = *options.offset >= 0 ? *options.offset : std::max(first, end + *options.offset);
    else if (options.tail)
      offset = std::max(first, end - *options.tail);
    else if (options.since_ms)
      offset = found[3 * i + 2].offset < 0 ? end : found[3 * i + 2].offset;
    starts[found[3 * i].partition] = {offset, end};
  }
  co_return starts;
}

task<ExitCode> consume(const Context& context, const ConsumeOptions& options, RecordOutput& output,
                       client::Cluster& cluster, StopRequest& stop) {
  const auto starts = co_await find_starts(options, cluster);
  if (!starts) co_return fail_with(context, starts.error());
  client::Fetcher fetcher(cluster, {.isolation = options.isolation});
  for (const auto& [partition, start] : *starts) {
    if (!options.until_end || start.offset < start.end) fetcher.assign(partition, start.offset);
  }
  runtime::Shard& shard = runtime::Shard::current();
  int64_t last_record_us = shard.now_us();
  bool goes_on = !options.count || *options.count > 0;
  while (goes_on && !stop.is_requested && !fetcher.positions().empty()) {
    const int32_t wait_ms = static_cast<int32_t>(std::min<int64_t>(500, options.idle_ms.value_or(500)));
    const auto fetched = co_await fetcher.poll(wait_ms);
    if (!fetched) co_return fail_with(context, fetched.error());
    for (const auto& one : *fetched) {
      const int64_t end = starts->at(one.partition).end;
      for (const auto& record : one.records) {
        if (!goes_on || (options.until_end && record.offset >= end)) break;
        goes_on = output.put(one.partition, record);
        last_record_us = shard.now_us();
      }
      if (one.error && !client::is_worth_retrying(*one.error)) {
        output.report();
        co_return fail_with(context, *one.error);
      }
      if (options.until_end && one.next_offset >= end) fetcher.unassign(one.partition);
    }
    goes_on = output.flush() && goes_on;
    if (options.idle_ms && shard.now_us() - last_record_us >= *options.idle_ms * 1000) break;
  }
  output.report();
  co_return stop.is_requested ? ExitCode::interrupted : output.exit_code_at_end(context);
}

struct Words {
  std::string from;
  std::string group;
  int64_t offset = 0;
  std::string since;
  int64_t tail = 0;
  bool from_beginning = false;
  int64_t count = 0;
  bool until_end = false;
  std::string idle;
  std::string format = "value";
  std::string isolation = "read_uncommitted";
  bool is_quiet = false;
};

ExitCode refuse(const Context& context, std::string_view message, std::string_view advice) {
  complain(context, message, advice);
  return ExitCode::usage;
}

ExitCode run_consume(const Context& context, const Words& words, bool has_offset, bool has_tail,
                     bool has_count) {
  ConsumeOptions options;
  const auto from = parse_partition_list(words.from);
  if (!from)
    return refuse(context, fmt::format("'{}' names no topic", words.from), "Write orders, or orders:0,2,5-7");
  options.from = *from;
  options.group = words.group;
  options.from_beginning = words.from_beginning;
  if (has_offset) options.offset = words.offset;
  if (has_tail) options.tail = words.tail;
  if (has_count) options.count = words.count;
  options.until_end = words.until_end;
  options.is_quiet = words.is_quiet;
  if (!words.since.empty()) {
    options.since_ms = parse_instant_ms(words.since);
    if (const auto ago = parse_duration_ms(words.since); !options.since_ms && ago)
      options.since_ms = -std::abs(*ago);
    if (!options.since_ms)
      return refuse(context, fmt::format("'{}' is no time", words.since),
                    "Write --since 2h, or --since 2026-11-22T16:00:00Z");
  }
  if (!words.idle.empty()) {
    options.idle_ms = parse_duration_ms(words.idle);
    if (!options.idle_ms || *options.idle_ms <= 0)
      return refuse(context, fmt::format("'{}' is no duration", words.idle),
                    "Write --idle 500ms or --idle 10s");
  }
  if (words.from_beginning + has_offset + has_tail + !words.since.empty() > 1)
    return refuse(context, "there is more than one place to start",
                  "Give one of --from-beginning, --offset, --since, --tail");
  if (words.isolation == "read_committed")
    options.isolation = client::Isolation::read_committed;
  else if (words.isolation != "read_uncommitted")
    return refuse(context, fmt::format("there is no isolation '{}'", words.isolation),
                  "Write read_committed or read_uncommitted");
  auto format = RecordFormat::parse(context.is_json ? "json" : words.format);
  if (!format)
    return refuse(context, fmt::format("'{}' is no format", words.format),
                  "Write value, key-value, full, json, or a template such as '%t-%p@%o %k=%v\\n'");
  RecordOutput output(options, std::move(*format), words.is_quiet || !is_output_terminal());
  if (!options.group.empty()) {
    if (has_offset || has_tail || !words.since.empty() || !options.from.partitions.empty())
      return refuse(context, "a group decides itself where it reads",
                    "Set its offsets before it runs: moldau group seek; only --from-beginning may be given "
                    "(for a new group)");
    return consume_as_group(context, options, output);
  }
  return run_until_stopped(context, [&](client::Cluster& cluster, StopRequest& stop) {
    return consume(context, options, output, cluster, stop);
  });
}

}  // namespace

void add_consume(Command app, Context& context) {
  auto words = std::make_shared<Words>();
  Command command = app.add_command("consume", "Print the records of a topic as they come");
  command.add_option("topic", words->from, "The topic, or topic:0,2,5-7 for some of its partitions")
      .required();
  command.add_option("-g,--group", words->group,
                     "Read as a member of this group, and commit what was printed");
  command.add_flag("--from-beginning", words->from_beginning,
                   "From the first record (default: only new ones)");
  const Argument offset =
      command.add_option("-o,--offset", words->offset, "From this offset; negative: so many before the end");
  command.add_option("--since", words->since,
                     "From the first record of the last so long (2h), or since an instant");
  const Argument tail =
      command
          .add_option("--tail", words->tail, "The last so many records of each partition, and on from there")
          .not_negative();
  const Argument count =
      command.add_option("-n,--count", words->count, "End after so many records").not_negative();
  command.add_flag("-e,--until-end", words->until_end, "End where the partitions end now");
  command.add_option("--idle", words->idle, "End when nothing has come for so long");
  command
      .add_option("-f,--format", words->format,
                  "value, key-value, full, json, or a template: %t topic, %p partition, %o offset, "
                  "%T timestamp, %I the same as text, %k key, %v value, %h headers, \\n, \\t")
      .shows_default();
  command
      .add_option("--isolation", words->isolation,
                  "read_uncommitted, or read_committed: without records of open and aborted transactions")
      .shows_default();
  command.add_flag("-q,--quiet", words->is_quiet, "Count the records, print none");
  command.runs([words, offset, tail, count, &context] {
    return run_consume(context, *words, offset.is_given(), tail.is_given(), count.is_given());
  });
}

}  // namespace moldau::cli
