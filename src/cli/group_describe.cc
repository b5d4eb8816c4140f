#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/group_lag.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/units.h"

namespace moldau::cli {

namespace {

boost::json::value known(int64_t number) {
  return number < 0 ? boost::json::value(nullptr) : boost::json::value(number);
}

void show_json(const client::GroupDescription& group, const std::vector<PartitionLag>& lags) {
  boost::json::array partitions;
  for (const PartitionLag& lag : lags) {
    boost::json::object json{
        {"topic", lag.partition.topic},
        {"partition", lag.partition.partition},
        {"committed", known(lag.committed)},
        {"start", known(lag.start)},
        {"end", known(lag.end)},
        {"lag", known(lag.records())},
        {"lag_seconds", lag.age_ms < 0 ? boost::json::value(nullptr)
                                       : boost::json::value(static_cast<double>(lag.age_ms) / 1000)}};
    if (!lag.member_id.empty()) json["member"] = lag.member_id;
    if (lag.error) json["error"] = lag.error->message;
    partitions.push_back(std::move(json));
  }
  boost::json::array members;
  for (const client::GroupMember& member : group.members) {
    boost::json::object json{{"member", member.id},
                             {"client", member.client_id},
                             {"host", member.host},
                             {"partitions", member.assignment.size()}};
    if (member.instance_id) json["instance"] = *member.instance_id;
    members.push_back(std::move(json));
  }
  print_json(boost::json::object{{"group", group.id},
                                 {"state", group.state},
                                 {"type", group.type},
                                 {"assignor", group.protocol},
                                 {"coordinator", group.coordinator},
                                 {"members", std::move(members)},
                                 {"partitions", std::move(partitions)}});
}

void show(const client::GroupDescription& group, const std::vector<PartitionLag>& lags) {
  print(
      fmt::format("Group {}\n  state        {}\n  type         {}{}\n  coordinator  {}\n  members      {}\n",
                  printable(group.id), group.state, group.type,
                  group.protocol.empty() ? "" : ", assignor " + printable(group.protocol), group.coordinator,
                  group.members.size()));
  using enum Table::Align;
  if (!lags.empty()) {
    print("\n");
    Table table({{"TOPIC"},
                 {"PARTITION", right},
                 {"COMMITTED", right},
                 {"END", right},
                 {"LAG", right},
                 {"BEHIND", right},
                 {"MEMBER"}});
    int64_t total = 0;
    for (const PartitionLag& lag : lags) {
      const int64_t records = lag.records();
      if (records > 0) total += records;
      table.add({lag.partition.topic, std::to_string(lag.partition.partition),
                 lag.committed < 0 ? "-" : count_text(lag.committed), lag.end < 0 ? "?" : count_text(lag.end),
                 records < 0 ? "-" : count_text(records), lag.age_ms < 0 ? "-" : duration_text(lag.age_ms),
                 lag.member_id.empty() ? "-" : lag.member_id});
    }
    print(table.to_string());
    print(fmt::format("Lag of all partitions: {} record{}\n", count_text(total), total == 1 ? "" : "s"));
  } else {
    print("\nIt has committed no offsets and reads no partitions.\n");
  }
  if (group.members.empty()) return;
  print("\n");
  Table members({{"MEMBER"}, {"INSTANCE"}, {"CLIENT"}, {"HOST"}, {"PARTITIONS", right}});
  for (const client::GroupMember& member : group.members) {
    members.add({member.id, member.instance_id.value_or("-"), member.client_id, member.host,
                 std::to_string(member.assignment.size())});
  }
  print(members.to_string());
}

task<ExitCode> describe(const Context& context, const std::vector<std::string>& names,
                        client::Cluster& cluster) {
  ExitCode exit_code = ExitCode::ok;
  bool is_first = true;
  for (const std::string& name : names) {
    const auto group = co_await client::describe_group(cluster, name);
    if (!group) {
      exit_code = fail_with(context, group.error());
      if (exit_code == ExitCode::cannot_connect) co_return exit_code;
      continue;
    }
    const auto lags = co_await group_lag(cluster, *group);
    if (!lags) co_return fail_with(context, lags.error());
    if (context.is_json) {
      show_json(*group, *lags);
      continue;
    }
    if (!std::exchange(is_first, false)) print("\n");
    show(*group, *lags);
  }
  co_return exit_code;
}

}  // namespace

void add_group_describe(Command group, Context& context) {
  auto names = std::make_shared<std::vector<std::string>>();
  Command command =
      group.add_command("describe", "Show a group's members, offsets and lag in records and in time");
  command.add_option("name", *names, "The group; several may be given").required();
  command.runs([names, &context] {
    return run_with_cluster(context,
                            [&](client::Cluster& cluster) { return describe(context, *names, cluster); });
  });
}

}  // namespace moldau::cli
