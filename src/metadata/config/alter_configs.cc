#include "metadata/config/alter_configs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/assert.h"
#include "metadata/config/config_checks.h"
#include "metadata/config/config_tables.h"
#include "metadata/topic_name.h"

namespace moldau::metadata {
namespace {

using protocol::ErrorCode;

enum class Operation : int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

struct Change {
  std::string name;
  Operation operation = Operation::set;
  std::string value;  // empty for remove
};

constexpr std::size_t value_max_bytes = 32767;

ApiError invalid_config(std::string message) { return {ErrorCode::invalid_config, std::move(message)}; }
ApiError invalid_request(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

std::string_view operation_name(Operation operation) {
  switch (operation) {
    case Operation::set:
      return "SET";
    case Operation::remove:
      return "DELETE";
    case Operation::append:
      return "APPEND";
    case Operation::subtract:
      return "SUBTRACT";
  }
  MOLDAU_UNREACHABLE("every operation has a name");
}

// Null for a key that the type does not have. Kafka's schema has no client metrics keys: none of them is a
// list to it.
const ConfigKey* find_key(ResourceType type, std::string_view name) {
  switch (type) {
    case ResourceType::topic:
      return find_config_key(ConfigTable::topic, name);
    case ResourceType::group:
      return find_config_key(ConfigTable::group, name);
    case ResourceType::broker:
      return find_node_key(name);
    default:
      return nullptr;
  }
}

std::vector<std::string> entries(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (comma != 0) out.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return out;
}

// What APPEND or SUBTRACT makes of a list; a setting that is not there yet starts from the default.
result<std::string, ApiError> changed_list(ResourceType type, const Change& change,
                                           const std::string* current) {
  const auto* key = find_key(type, change.name);
  if (!key || key->type != ConfigType::list_)
    return fail(invalid_config(fmt::format("Can't {} to key {} because its type is not LIST.",
                                           operation_name(change.operation), change.name)));
  auto list = entries(current ? std::string_view(*current) : key->default_value.value_or(""));
  for (auto& each : entries(change.value)) {
    const auto found = std::ranges::find(list, each);
    if (change.operation == Operation::append && found == list.end()) list.push_back(std::move(each));
    if (change.operation == Operation::subtract && found != list.end()) list.erase(found);
  }
  return fmt::format("{}", fmt::join(list, ","));
}

MetadataRecord config_record(const ConfigResource& resource, std::string name,
                             std::optional<std::string> value) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<int8_t>(resource.type);
  record.resource_name = resource.name;
  record.name = std::move(name);
  record.value = std::move(value);
  return {.message = std::move(record), .version = 0};
}

// One request's view of the cluster. Broker layers are made once, when first needed.
class Alteration {
 public:
  Alteration(const ConfigContext& context, const MetadataImage& image)
      : context_(context), image_(image), layers_(broker_layers(*context.fixed, image, context.node_id)) {
    MOLDAU_ASSERT(context.fixed);
  }

  // Applies the changes to what the resource has; the records are added only if everything is in order. With
  // `replace_all` what is not among the changes goes.
  ApiError change(const ConfigResource& resource, const std::vector<Change>& changes, bool replace_all,
                  MetadataRecords& records) const {
    if (auto error = check_resource(resource); !error.is_none()) return error;
    const auto& current = image_.find_configs(resource);
    ConfigMap next = replace_all ? ConfigMap{} : current;
    MetadataRecords own;
    for (const auto& each : changes) {
      const auto* before = find_given(current, each.name);
      std::optional<std::string> value;
      if (each.operation == Operation::append || each.operation == Operation::subtract) {
        auto list = changed_list(resource.type, each, before);
        if (!list) return std::move(list.error());
        value = std::move(*list);
      } else if (each.operation == Operation::set) {
        value = each.value;
      }
      if (value && value->size() > value_max_bytes)
        return invalid_config(fmt::format("The value of {} is longer than the {} bytes that are allowed",
                                          each.name, value_max_bytes));
      if (auto error = check_eligible_replicas_rule(resource, each); !error.is_none()) return error;
      const bool cordons = resource.type == ResourceType::broker && !resource.name.empty() && each.name == "cordoned.log.dirs";
      if (cordons && !image_.metadata_version().has_cordoned_log_dirs())
        return invalid_config("cordoned.log.dirs cannot be set before metadata.version is 4.3-IV0 or later");
      if (value)
        next[each.name] = *value;
      else
        next.erase(each.name);
      // A broker's record is written even if nothing changes, so that it reloads what the value points to
      // (KAFKA-14136).
      const bool same = before ? value == *before : !value.has_value();
      if (!same || resource.type == ResourceType::broker)
        own.push_back(config_record(resource, each.name, std::move(value)));
    }
    if (replace_all)
      for (const auto& [name, text] : current)
        if (!next.contains(name)) own.push_back(config_record(resource, name, std::nullopt));
    if (auto error = check(resource, next); !error.is_none()) return error;
    std::ranges::move(own, std::back_inserter(records));
    return {};
  }

  // The logger is no part of the metadata: the level is handed to the caller.
  ApiError change_logger(const std::string& name, const std::vector<Change>& changes,
                         std::optional<std::string>& level) const {
    if (auto error = check_node(name); !error.is_none()) return error;
    static constexpr std::string_view levels[] = {"DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"};
    std::optional<std::string> next;
    for (const auto& each : changes) {
      if (each.operation == Operation::append || each.operation == Operation::subtract)
        return invalid_request(fmt::format("{} operation is not allowed for the BROKER_LOGGER resource",
                                           operation_name(each.operation)));
      if (each.name != "root")
        return invalid_config(fmt::format("Logger {} does not exist! There is only root.", each.name));
      if (each.operation == Operation::remove)
        return invalid_request("Removing the log level of the root logger is not allowed");
      if (std::ranges::find(levels, each.value) == std::end(levels))
        return invalid_config(
            fmt::format("Cannot set the log level of {} to {} as it is not a supported log level. Valid log "
                        "levels are {}",
                        each.name, each.value, fmt::join(levels, ", ")));
      next = each.value;
    }
    if (next) level = std::move(next);
    return {};
  }

  [[nodiscard]] const ConfigMap& effective() const { return layers_.effective; }

 private:
  [[nodiscard]] ApiError check_node(const std::string& name) const {
    const auto id = parse_integer(name, INT32_MIN, INT32_MAX);
    if (!id) return invalid_request(fmt::format("Node id must be an integer, but it is: {}", name));
    if (*id != context_.node_id)
      return invalid_request(
          fmt::format("Unexpected broker id, expected {}, but received {}", context_.node_id, name));
    return {};
  }

  [[nodiscard]] ApiError check_resource(const ConfigResource& resource) const {
    if (resource.type == ResourceType::broker && !resource.name.empty()) return check_node(resource.name);
    return {};
  }

  // With eligible leader replicas min.insync.replicas belongs to the cluster and to topics (KIP-966).
  [[nodiscard]] ApiError check_eligible_replicas_rule(const ConfigResource& resource,
                                                      const Change& change) const {
    if (resource.type != ResourceType::broker || change.name != "min.insync.replicas" ||
        image_.feature_level(eligible_leader_replicas_feature) < 1)
      return {};
    if (!resource.name.empty())
      return invalid_config("Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
    if (change.operation == Operation::remove)
      return invalid_config("Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
    return {};
  }

  [[nodiscard]] ApiError check(const ConfigResource& resource, const ConfigMap& next) const {
    switch (resource.type) {
      case ResourceType::topic:
        if (resource.name.empty()) return invalid_request("Default topic resources are not allowed.");
        if (auto problem = topic_name_problem(resource.name))
          return {ErrorCode::invalid_topic_exception, std::move(*problem)};
        if (auto error = check_topic_configs(next, layers_.effective); !error.is_none()) return error;
        if (!image_.find_topic(resource.name))
          return {ErrorCode::unknown_topic_or_partition,
                  fmt::format("The topic '{}' does not exist.", resource.name)};
        return {};
      case ResourceType::broker: {
        const bool one = !resource.name.empty();
        const auto then = effective_broker_config(
            *context_.fixed, one ? layers_.dynamic_default : applicable_dynamic_values(next, false),
            one ? applicable_dynamic_values(next, true) : layers_.dynamic_broker);
        return check_broker_configs(next, one, layers_.effective, then);
      }
      case ResourceType::group:
        if (resource.name.empty()) return invalid_request("Default group resources are not allowed.");
        return check_group_configs(next, layers_.effective);
      case ResourceType::client_metrics:
        if (resource.name.empty()) return invalid_request("Subscription name can't be empty");
        return check_client_metrics_configs(next);
      case ResourceType::broker_logger:
      case ResourceType::unknown:
        break;
    }
    MOLDAU_UNREACHABLE("other types do not come this far");
  }

  const ConfigContext& context_;
  const MetadataImage& image_;
  BrokerLayers layers_;
};

// The settings of a resource in a request as changes; for both requests alike.
template <class Configs>
result<std::vector<Change>, ApiError> read_changes(const Configs& configs) {
  std::vector<Change> changes;
  std::set<std::string_view> names;
  std::vector<std::string_view> nulls;
  for (const auto& config : configs) {
    if (!names.insert(config.name).second) return fail(invalid_request("Error due to duplicate config keys"));
    Change change{.name = config.name};
    int8_t operation = 0;
    if constexpr (requires { config.config_operation; }) operation = config.config_operation;
    if (operation < 0 || operation > 3)
      return fail(invalid_request(fmt::format("Unknown operations type {} for {}", operation, config.name)));
    change.operation = static_cast<Operation>(operation);
    if (change.operation != Operation::remove) {
      if (!config.value)
        nulls.push_back(config.name);
      else
        change.value = *config.value;
    }
    changes.push_back(std::move(change));
  }
  if (!nulls.empty())
    return fail(invalid_request(fmt::format("Null value not supported for : {}", fmt::join(nulls, ", "))));
  return changes;
}

template <class Response, class Request>
AlteredConfigs<Response> alter(const Request& request, bool replace_all, const ConfigContext& context,
                               const MetadataImage& image) {
  AlteredConfigs<Response> altered;
  const Alteration alteration(context, image);
  std::map<std::pair<int8_t, std::string_view>, int> times;
  for (const auto& resource : request.resources) ++times[{resource.resource_type, resource.resource_name}];
  for (const auto& resource : request.resources) {
    const auto outcome = [&]() -> ApiError {
      if (times[{resource.resource_type, resource.resource_name}] > 1)
        return invalid_request("Each resource must appear at most once.");
      auto changes = read_changes(resource.configs);
      if (!changes) return std::move(changes.error());
      const auto type = static_cast<ResourceType>(resource.resource_type);
      switch (type) {
        case ResourceType::topic:
        case ResourceType::broker:
        case ResourceType::group:
        case ResourceType::client_metrics:
          return alteration.change({type, resource.resource_name}, *changes, replace_all, altered.records);
        case ResourceType::broker_logger:
          if (!replace_all)
            return alteration.change_logger(resource.resource_name, *changes, altered.log_level);
          break;
        case ResourceType::unknown:
          break;
      }
      return invalid_request(fmt::format("Unknown resource type {}", resource.resource_type));
    }();
    typename Response::AlterConfigsResourceResponse answer;
    answer.error_code = static_cast<int16_t>(outcome.code);
    answer.error_message = std::nullopt;
    if (!outcome.is_none()) answer.error_message = outcome.message;
    answer.resource_type = resource.resource_type;
    answer.resource_name = resource.resource_name;
    altered.response.responses.push_back(std::move(answer));
  }
  if (request.validate_only) {
    altered.records.clear();
    altered.log_level.reset();
  }
  return altered;
}

}  // namespace

AlteredConfigs<protocol::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const protocol::IncrementalAlterConfigsRequest& request, const ConfigContext& context,
    const MetadataImage& image) {
  return alter<protocol::IncrementalAlterConfigsResponse>(request, false, context, image);
}

AlteredConfigs<protocol::AlterConfigsResponse> alter_configs(const protocol::AlterConfigsRequest& request,
                                                             const ConfigContext& context,
                                                             const MetadataImage& image) {
  return alter<protocol::AlterConfigsResponse>(request, true, context, image);
}

std::optional<ApiError> check_new_topic(const ConfigMap& overrides, const ConfigContext& context,
                                        const MetadataImage& image) {
  MOLDAU_ASSERT(context.fixed);
  const auto layers = broker_layers(*context.fixed, image, context.node_id);
  auto error = check_topic_configs(overrides, layers.effective);
  if (error.is_none()) return std::nullopt;
  return error;
}

}  // namespace moldau::metadata
