#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/partition_list.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/units.h"
#include "client/groups.h"

namespace moldau::cli {

namespace {

using client::client_result;
using client::Error;
using client::TopicPartition;

struct Options {
  std::string group;
  std::vector<std::string> topics;
  bool to_earliest = false;
  bool to_latest = false;
  int64_t to_offset = -1;
  std::string to_time;
  std::string back;
  int64_t shift = 0;
  bool has_shift = false;
  bool is_dry_run = false;
};

// Where to; exactly one of these was given.
struct Target {
  enum class Kind : uint8_t { earliest, latest, offset, time, shift } kind = Kind::latest;
  int64_t number = 0;  // the offset, the instant in ms, or the step
};

struct Move {
  TopicPartition partition;
  int64_t before = -1;
  int64_t after = -1;
};

std::optional<Target> target_of(const Context& context, const Options& options) {
  const int given = options.to_earliest + options.to_latest + (options.to_offset >= 0) +
                    !options.to_time.empty() + !options.back.empty() + options.has_shift;
  if (given != 1) {
    complain(
        context, given == 0 ? "where should the group seek to?" : "there is more than one place to seek to",
        "Give one of --to-earliest, --to-latest, --to-offset N, --to-time INSTANT, --back DURATION, --by N");
    return std::nullopt;
  }
  if (options.to_earliest) return Target{Target::Kind::earliest};
  if (options.to_latest) return Target{Target::Kind::latest};
  if (options.to_offset >= 0) return Target{Target::Kind::offset, options.to_offset};
  if (options.has_shift) return Target{Target::Kind::shift, options.shift};
  if (!options.to_time.empty()) {
    if (const auto instant = parse_instant_ms(options.to_time)) return Target{Target::Kind::time, *instant};
    complain(context, fmt::format("'{}' is no instant", options.to_time),
             "Write --to-time 2026-11-22T16:00:00Z (UTC without a zone), or @milliseconds since 1970");
    return std::nullopt;
  }
  const auto duration = parse_duration_ms(options.back);
  if (duration && *duration > 0)
    return Target{Target::Kind::time, -*duration};  // made absolute when the clock is known
  complain(context, fmt::format("'{}' is no duration", options.back), "Write --back 90s, 2h, 1d12h or PT2H");
  return std::nullopt;
}

// The partitions to move: those asked for, or all with a committed offset.
task<client_result<std::vector<Move>>> moves_of(client::Cluster& cluster, const Options& options,
                                                std::vector<PartitionList> lists) {
  MOLDAU_CO_TRY(const auto committed, co_await client::committed_offsets(cluster, options.group));
  std::map<TopicPartition, int64_t> before;
  for (const auto& offset : committed) before[offset.partition] = offset.offset;
  std::vector<Move> moves;
  if (lists.empty()) {
    for (const auto& [partition, offset] : before) moves.push_back({partition, offset});
    if (moves.empty()) {
      co_return fail(Error{.kind = Error::Kind::invalid,
                           .message = fmt::format("group {} has committed no offsets", options.group),
                           .advice = "Name what it should read: --topic orders, or --topic orders:0,2"});
    }
    co_return moves;
  }
  for (PartitionList& list : lists) {
    MOLDAU_CO_TRY(const auto topic, co_await cluster.topic(list.topic));
    if (list.partitions.empty()) {
      for (size_t i = 0; i < topic.partitions.size(); ++i) list.partitions.push_back(static_cast<int32_t>(i));
    }
    for (const int32_t index : list.partitions) {
      const TopicPartition partition{list.topic, index};
      const auto at = before.find(partition);
      moves.push_back({partition, at == before.end() ? -1 : at->second});
    }
  }
  co_return moves;
}

task<client_result<>> find_targets(client::Cluster& cluster, Target target, std::vector<Move>& moves) {
  std::vector<client::OffsetQuery> queries;
  for (const Move& move : moves) {
    queries.push_back({move.partition, client::earliest_offset});
    queries.push_back({move.partition, client::latest_offset});
    if (target.kind == Target::Kind::time) queries.push_back({move.partition, target.number});
  }
  MOLDAU_CO_TRY(const auto found, co_await client::find_offsets(cluster, queries));
  const size_t step = target.kind == Target::Kind::time ? 3 : 2;
  for (size_t i = 0; i < moves.size(); ++i) {
    for (size_t j = 0; j < step; ++j) {
      if (found[step * i + j].error) co_return fail(*found[step * i + j].error);
    }
    const int64_t start = found[step * i].offset;
    const int64_t end = found[step * i + 1].offset;
    Move& move = moves[i];
    switch (target.kind) {
      case Target::Kind::earliest:
        move.after = start;
        break;
      case Target::Kind::latest:
        move.after = end;
        break;
      case Target::Kind::offset:
        move.after = target.number;
        break;
      case Target::Kind::shift:
        move.after = (move.before < 0 ? start : move.before) + target.number;
        break;
      case Target::Kind::time:
        move.after = found[step * i + 2].offset < 0 ? end : found[step * i + 2].offset;
        break;
    }
    move.after = std::clamp(move.after, start, end);
  }
  co_return client_result<>{};
}

void show(const Context& context, const Options& options, const std::vector<Move>& moves) {
  if (context.is_json) {
    boost::json::array list;
    for (const Move& move : moves) {
      list.push_back(
          boost::json::object{{"topic", move.partition.topic},
                              {"partition", move.partition.partition},
                              {"before", move.before < 0 ? boost::json::value(nullptr) : move.before},
                              {"after", move.after}});
    }
    print_json(boost::json::object{
        {"group", options.group}, {"dry_run", options.is_dry_run}, {"offsets", std::move(list)}});
    return;
  }
  using enum Table::Align;
  Table table({{"TOPIC"}, {"PARTITION", right}, {"BEFORE", right}, {"AFTER", right}, {"STEP", right}});
  for (const Move& move : moves) {
    const int64_t step = move.after - move.before;
    table.add({move.partition.topic, std::to_string(move.partition.partition),
               move.before < 0 ? "-" : count_text(move.before), count_text(move.after),
               move.before < 0 ? "-" : (step > 0 ? "+" : "") + count_text(step)});
  }
  print(table.to_string());
  if (options.is_dry_run)
    print("Nothing was changed. Without --dry-run, the group would go on from AFTER.\n");
}

task<ExitCode> seek(const Context& context, const Options& options, Target target,
                    std::vector<PartitionList> lists, client::Cluster& cluster) {
  if (target.kind == Target::Kind::time && target.number < 0)
    target.number = std::max<int64_t>(0, cluster.environment().wall_clock_ms() + target.number);
  auto moves = co_await moves_of(cluster, options, std::move(lists));
  if (!moves) co_return fail_with(context, moves.error());
  if (const auto found = co_await find_targets(cluster, target, *moves); !found)
    co_return fail_with(context, found.error());
  if (!options.is_dry_run) {
    // The coordinator takes an administrator's commit only while nobody reads; ask first, for a clearer
    // answer.
    const auto group = co_await client::describe_group(cluster, options.group);
    if (group && !group->members.empty()) {
      complain(
          context,
          fmt::format("group {} has {} member{} and would overwrite the offsets", options.group,
                      group->members.size(), group->members.size() == 1 ? "" : "s"),
          "Stop its consumers first; moldau group describe shows who they are. --dry-run works meanwhile");
      co_return ExitCode::failed;
    }
    std::vector<client::CommittedOffset> offsets;
    for (const Move& move : *moves) offsets.push_back({.partition = move.partition, .offset = move.after});
    const auto committed = co_await client::commit_offsets(cluster, options.group, std::move(offsets));
    if (!committed) co_return fail_with(context, committed.error());
  }
  show(context, options, *moves);
  co_return ExitCode::ok;
}

}  // namespace

void add_group_seek(Command group, Context& context) {
  auto options = std::make_shared<Options>();
  Command command = group.add_command("seek", "Set where a group without members goes on reading");
  command.add_option("name", options->group, "The group").required();
  command.add_option("--topic", options->topics,
                     "Only this topic, or topic:0,2,5-7; may be repeated (default: all that it reads)");
  command.add_flag("--to-earliest", options->to_earliest, "To the first record that is still there");
  command.add_flag("--to-latest", options->to_latest, "Behind the last record");
  command.add_option("--to-offset", options->to_offset, "To this offset").not_negative();
  command.add_option("--to-time", options->to_time,
                     "To the first record at or after this instant, such as 2026-11-22T16:00:00Z");
  command.add_option("--back", options->back, "To the first record of the last so long, such as 2h");
  const Argument shift =
      command.add_option("--by", options->shift, "By so many records, forward or (negative) back");
  command.add_flag("--dry-run", options->is_dry_run, "Only show what would change");
  command.runs([options, shift, &context] {
    options->has_shift = shift.is_given();
    const auto target = target_of(context, *options);
    if (!target) return ExitCode::usage;
    std::vector<PartitionList> lists;
    for (const std::string& topic : options->topics) {
      auto list = parse_partition_list(topic);
      if (!list) {
        complain(context, fmt::format("'{}' names no partitions", topic),
                 "Write --topic orders or --topic orders:0,2,5-7");
        return ExitCode::usage;
      }
      lists.push_back(std::move(*list));
    }
    return run_with_cluster(
        context, [&](client::Cluster& cluster) { return seek(context, *options, *target, lists, cluster); });
  });
}

}  // namespace moldau::cli
