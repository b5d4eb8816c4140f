// tables/*.json: Kafka's error codes and APIs against the tables generated from schema/.
#include <fmt/format.h>

#include <set>

#include "protocol/api_table.h"
#include "protocol/error_code.h"
#include "vectors_runner/json_lines.h"
#include "vectors_runner/kinds.h"

namespace moldau::vectors {

namespace json = boost::json;
using protocol::ApiInfo;
using protocol::ErrorCode;
using protocol::VersionRange;

namespace {

void for_each_row(const std::filesystem::path& path, const std::function<void(const json::object&)>& use) {
  const json::value table = read_json(path);
  for (const json::value& row : table.as_object().at("rows").as_array()) use(row.as_object());
}

std::string check_error(const json::object& row) {
  const auto code = static_cast<ErrorCode>(number_of(row, "code"));
  if (protocol::error_name(code) != text_of(row, "name"))
    return fmt::format("is {}", protocol::error_name(code));
  if (protocol::error_message(code) != text_of(row, "message"))
    return fmt::format("says: {}", protocol::error_message(code));
  if (protocol::is_retriable(code) != bool_of(row, "retriable")) return "retriable or not is wrong";
  if (protocol::refreshes_metadata(code) != bool_of(row, "refreshMetadata"))
    return "refreshing metadata is wrong";
  return {};
}

std::string check_api(const json::object& row) {
  const ApiInfo* api = protocol::find_api(static_cast<int16_t>(number_of(row, "key")));
  if (!bool_of(row, "supported")) return api == nullptr ? "" : "is in the table, although Kafka removed it";
  if (api == nullptr) return "is not in the table";
  if (api->name != text_of(row, "name")) return fmt::format("is called {}", api->name);
  const VersionRange versions{static_cast<int16_t>(number_of(row, "lowest")),
                              static_cast<int16_t>(number_of(row, "highest"))};
  if (api->message_versions != versions)
    return fmt::format("has the versions {}-{}", api->message_versions.min, api->message_versions.max);
  if (api->is_forwarded != bool_of(row, "forwardable")) return "forwarded or not is wrong";
  if (api->is_cluster_action != bool_of(row, "clusterAction")) return "cluster action or not is wrong";
  for (const json::value& value : row.at("headerVersions").as_array()) {
    const json::object& header = value.as_object();
    const auto version = static_cast<int16_t>(number_of(header, "version"));
    if (api->request_header_version(version) != number_of(header, "request"))
      return fmt::format("the request header of version {} is wrong", version);
    if (api->response_header_version(version) != number_of(header, "response"))
      return fmt::format("the response header of version {} is wrong", version);
  }
  return {};
}

std::string check_advertised(const json::object& listener, bool is_broker, bool with_unstable) {
  std::set<int64_t> seen;
  for (const json::value& value : listener.at("apis").as_array()) {
    const json::object& row = value.as_object();
    const int64_t key = number_of(row, "key");
    seen.insert(key);
    const ApiInfo* api = protocol::find_api(static_cast<int16_t>(key));
    if (api == nullptr) return fmt::format("lacks the API {}", key);
    VersionRange versions = is_broker ? api->broker_versions : api->controller_versions;
    if (with_unstable) versions.max = api->message_versions.max;
    if (versions.min != number_of(row, "min") || versions.max != number_of(row, "max"))
      return fmt::format("{} has {}-{}", api->name, versions.min, versions.max);
  }
  for (const ApiInfo& api : protocol::api_table())
    if (!(is_broker ? api.broker_versions : api.controller_versions).is_empty() &&
        !seen.contains(static_cast<int64_t>(api.key)))
      return fmt::format("has the API {} too much", api.name);
  return {};
}

}  // namespace

void check_errors(const std::filesystem::path& path, std::string_view file, Report& report) {
  for_each_row(path,
               [&](const json::object& row) { report.add(file, text_of(row, "name"), check_error(row)); });
}

void check_api_keys(const std::filesystem::path& path, std::string_view file, Report& report) {
  for_each_row(path,
               [&](const json::object& row) { report.add(file, text_of(row, "name"), check_api(row)); });
}

void check_api_versions(const std::filesystem::path& path, std::string_view file, Report& report) {
  for_each_row(path, [&](const json::object& row) {
    const std::string listener = text_of(row, "listener");
    const bool with_unstable = bool_of(row, "unstableApiVersionsEnabled");
    const std::string name = listener + (with_unstable ? "-with-unstable" : "");
    report.add(file, name, check_advertised(row, listener == "broker", with_unstable));
  });
}

}  // namespace moldau::vectors
