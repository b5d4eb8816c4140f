// AlterConfigs and IncrementalAlterConfigs, which differ in nothing but what the controller makes of them.
#pragma once

#include <string>
#include <vector>

#include "broker/config_access.h"
#include "broker/named_twice.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

// Resources that the caller may not alter are refused, the rest goes to the controller; the answers stand in the order of
// the request.
template <protocol::ApiKey api, class Request>
runtime::task<Reply> serve_alter_configs(RequestContext& context, security::Gate<api> gate, Request request) {
  using Key = std::pair<int8_t, std::string>;
  const auto key_of = [](const auto& resource) { return Key{resource.resource_type, resource.resource_name}; };
  std::vector<Key> order;
  for (const auto& resource : request.resources) order.push_back(key_of(resource));
  const NamedTwice<Key> twice(request.resources, key_of);
  const auto sifted = gate.template sift<security::Operation::alter_configs>(
      request.resources, [&](const auto& resource) -> std::optional<security::Resource> {
        if (twice.contains(key_of(resource))) return std::nullopt;
        return owner_of_config(resource.resource_type, resource.resource_name);
      });
  auto response = co_await context.broker.quorum->handle(sifted.kept, std::move(request), context.version);
  for (const auto& resource : sifted.denied) {
    auto& answer = response.responses.emplace_back();
    const protocol::ErrorCode error = config_denial(resource.resource_type);
    answer.error_code = static_cast<int16_t>(error);
    // Kafka's loggers are refused by the broker, everything else by the controller, which gives a reason.
    const bool is_logger = resource.resource_type == static_cast<int8_t>(metadata::ResourceType::broker_logger);
    answer.error_message = is_logger ? std::nullopt : std::optional(std::string(protocol::error_message(error)));
    answer.resource_type = resource.resource_type;
    answer.resource_name = resource.resource_name;
  }
  if (!sifted.denied.empty())
    std::ranges::sort(response.responses, {}, [&](const auto& answer) { return std::ranges::find(order, key_of(answer)); });
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
