#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/table.h"

namespace moldau::cli {

namespace {

std::string range_text(protocol::VersionRange range) {
  if (range.is_empty()) return "-";
  return range.min == range.max ? fmt::format("{}", range.min)
                                : fmt::format("{} to {}", range.min, range.max);
}

// How what the broker offers differs from Apache Kafka 4.3.1's broker.
std::string_view difference(protocol::VersionRange offered, protocol::VersionRange kafka) {
  if (offered == kafka) return "";
  if (offered.is_empty()) return "missing";
  if (kafka.is_empty()) return "not in Kafka 4.3";
  return "differs";
}

task<ExitCode> show(const Context& context, bool only_differences, client::Cluster& cluster) {
  const auto broker = co_await cluster.any_broker();
  if (!broker) co_return fail_with(context, broker.error());
  struct Row {
    int16_t key;
    std::string name;
    protocol::VersionRange offered;
    protocol::VersionRange kafka;
  };
  std::vector<Row> rows;
  for (const auto& api : (*broker)->api_versions().api_keys) {
    const protocol::ApiInfo* info = protocol::find_api(api.api_key);
    rows.push_back({api.api_key,
                    info != nullptr ? std::string(info->name) : "(unknown)",
                    {api.min_version, api.max_version},
                    info != nullptr ? info->broker_versions : protocol::VersionRange{}});
  }
  for (const protocol::ApiInfo& api : protocol::api_table()) {
    const auto key = static_cast<int16_t>(api.key);
    if (api.broker_versions.is_empty() ||
        std::ranges::any_of(rows, [key](const Row& row) { return row.key == key; }))
      continue;
    rows.push_back({key, std::string(api.name), {}, api.broker_versions});
  }
  if (only_differences) std::erase_if(rows, [](const Row& row) { return row.offered == row.kafka; });
  std::ranges::sort(rows, {}, &Row::key);
  if (context.is_json) {
    boost::json::array list;
    const auto json_of = [](protocol::VersionRange range) -> boost::json::value {
      if (range.is_empty()) return nullptr;
      return boost::json::array{range.min, range.max};
    };
    for (const Row& row : rows) {
      list.push_back(boost::json::object{{"key", row.key},
                                         {"api", row.name},
                                         {"offered", json_of(row.offered)},
                                         {"kafka_4_3", json_of(row.kafka)}});
    }
    boost::json::object features;
    for (const auto& feature : (*broker)->api_versions().finalized_features)
      features[feature.name] = feature.max_version_level;
    print_json(boost::json::object{
        {"broker", (*broker)->address()}, {"apis", std::move(list)}, {"features", std::move(features)}});
    co_return ExitCode::ok;
  }
  using enum Table::Align;
  Table table({{"KEY", right}, {"API"}, {"OFFERED"}, {"KAFKA 4.3"}, {""}});
  for (const Row& row : rows) {
    table.add({std::to_string(row.key), row.name, range_text(row.offered), range_text(row.kafka),
               std::string(difference(row.offered, row.kafka))});
  }
  print(fmt::format("{} offers\n", (*broker)->address()));
  if (table.is_empty())
    print("the APIs and versions of Apache Kafka 4.3.\n");
  else
    print(table.to_string());
  const auto& features = (*broker)->api_versions().finalized_features;
  if (!features.empty() && !only_differences) {
    print("\n");
    Table levels({{"FEATURE"}, {"LEVEL", right}});
    for (const auto& feature : features)
      levels.add({feature.name, std::to_string(feature.max_version_level)});
    print(levels.to_string());
  }
  co_return ExitCode::ok;
}

}  // namespace

void add_api_versions(Command app, Context& context) {
  auto only_differences = std::make_shared<bool>(false);
  Command command =
      app.add_command("api-versions", "Show which APIs a broker offers, beside Apache Kafka 4.3's");
  command.add_flag("--differences", *only_differences, "Only those that differ from Apache Kafka 4.3");
  command.runs([only_differences, &context] {
    return run_with_cluster(
        context, [&](client::Cluster& cluster) { return show(context, *only_differences, cluster); });
  });
}

}  // namespace moldau::cli
