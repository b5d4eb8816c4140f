#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/units.h"
#include "client/log_directories.h"

namespace moldau::cli {

namespace {

boost::json::object json_of(const client::LogDirectoryMetadata& directory) {
  boost::json::array partitions;
  for (const auto& replica : directory.replicas)
    partitions.push_back(boost::json::object{{"topic", replica.topic},
                                             {"partition", replica.partition},
                                             {"size_bytes", replica.size_bytes},
                                             {"moving_here", replica.is_future},
                                             {"lag", replica.lag}});
  return {{"directory", directory.path},
          {"offline", directory.error != protocol::ErrorCode::none},
          {"cordoned", directory.is_cordoned},
          {"total_bytes", directory.total_bytes},
          {"free_bytes", directory.usable_bytes},
          {"partitions", std::move(partitions)}};
}

std::vector<std::string> row_of(const client::LogDirectoryMetadata& directory) {
  if (directory.error != protocol::ErrorCode::none) return {directory.path, "offline", "-", "-", "-", "-"};
  int64_t size_bytes = 0;
  int64_t moving = 0;
  for (const auto& replica : directory.replicas) {
    size_bytes += replica.size_bytes;
    moving += replica.is_future ? 1 : 0;
  }
  const auto size = [](int64_t bytes) { return bytes < 0 ? "-" : size_text(static_cast<uint64_t>(bytes)); };
  return {directory.path, directory.is_cordoned ? "cordoned" : "online", count_text(static_cast<int64_t>(directory.replicas.size()) - moving), count_text(moving), size(size_bytes),
          size(directory.usable_bytes)};
}

task<ExitCode> list(const Context& context, client::Cluster& cluster) {
  const auto directories = co_await client::log_directories(cluster);
  if (!directories) co_return fail_with(context, directories.error());
  if (context.is_json) {
    boost::json::array json;
    for (const auto& directory : *directories) json.push_back(json_of(directory));
    print_json(json);
    co_return ExitCode::ok;
  }
  using Align = Table::Align;
  Table table({{"DIRECTORY"}, {"STATE"}, {"PARTITIONS", Align::right}, {"MOVING HERE", Align::right}, {"SIZE", Align::right}, {"FREE", Align::right}});
  for (const auto& directory : *directories) table.add(row_of(directory));
  print(table.to_string());
  Table moves({{"PARTITION"}, {"MOVING TO"}, {"RECORDS TO GO", Align::right}});
  for (const auto& directory : *directories)
    for (const auto& replica : directory.replicas)
      if (replica.is_future) moves.add({fmt::format("{}-{}", replica.topic, replica.partition), directory.path, count_text(replica.lag)});
  if (!moves.is_empty()) print("\n" + moves.to_string());
  co_return ExitCode::ok;
}

}  // namespace

void add_directory_list(Command directory, Context& context) {
  Command command = directory.add_command("list", "List the directories, what lies in them, and moves under way");
  command.runs([&context] {
    return run_with_cluster(context, [&](client::Cluster& cluster) { return list(context, cluster); });
  });
}

}  // namespace moldau::cli
