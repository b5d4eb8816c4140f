#include "metadata/config/listeners.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "metadata/config/host_port.h"

namespace moldau::metadata {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

bool is_protocol(std::string_view name) {
  return name == "PLAINTEXT" || name == "SSL" || name == "SASL_PLAINTEXT" || name == "SASL_SSL";
}

using ProtocolMap = std::map<std::string, std::string, std::less<>>;

// NAME:PROTOCOL,...
ProtocolMap read_protocol_map(const ConfigMap& given, const std::vector<std::string>& controller_names,
                              const std::vector<std::string>& listeners, std::vector<std::string>& problems) {
  constexpr std::string_view key = "listener.security.protocol.map";
  ProtocolMap protocols;
  for (const auto& entry : split_list(node_text(given, key))) {
    const auto colon = entry.rfind(':');
    const auto protocol =
        colon == std::string::npos ? std::string() : upper(trimmed(entry.substr(colon + 1)));
    if (!is_protocol(protocol)) {
      problems.push_back(fmt::format(
          "{}: {} is not of the form LISTENER:PROTOCOL with PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", key,
          entry));
      continue;
    }
    protocols[upper(trimmed(std::string_view(entry).substr(0, colon)))] = protocol;
  }
  if (find_given(given, key)) return protocols;
  // Without a map of its own, a controller listener is PLAINTEXT as long as nothing asks for protection.
  const auto is_protected = [](std::string_view name) { return is_protocol(name) && name != "PLAINTEXT"; };
  const bool any_protected = std::ranges::any_of(controller_names, is_protected) ||
                             std::ranges::any_of(listeners, [&](const std::string& each) {
                               return is_protected(upper(each.substr(0, each.find("://"))));
                             });
  if (!any_protected)
    for (const auto& name : controller_names) protocols.emplace(name, "PLAINTEXT");
  return protocols;
}

std::optional<ListenerEndpoint> read_endpoint(std::string_view key, std::string_view text,
                                              const ProtocolMap& protocols,
                                              std::vector<std::string>& problems) {
  const auto mark = text.find("://");
  const auto address = mark == std::string_view::npos ? std::nullopt : parse_host_port(text.substr(mark + 3));
  if (!address || mark == 0) {
    problems.push_back(
        fmt::format("{}: {} is not of the form NAME://HOST:PORT with a port up to 65535", key, text));
    return std::nullopt;
  }
  ListenerEndpoint endpoint{upper(text.substr(0, mark)), address->host, address->port};
  const auto protocol = protocols.find(endpoint.name);
  if (protocol == protocols.end()) {
    problems.push_back(
        fmt::format("{}: listener {} has no protocol: add {}:PLAINTEXT to listener.security.protocol.map",
                    key, endpoint.name, endpoint.name));
    return std::nullopt;
  }
  if (protocol->second != "PLAINTEXT") {
    problems.push_back(fmt::format(
        "{}: listener {} asks for {}, which is not built yet. The node does not start less protected than it "
        "was told: use a PLAINTEXT listener, bound where only those you trust can reach it",
        key, endpoint.name, protocol->second));
    return std::nullopt;
  }
  return endpoint;
}

std::vector<ListenerEndpoint> read_endpoints(std::string_view key, const std::vector<std::string>& texts,
                                             const ProtocolMap& protocols,
                                             std::vector<std::string>& problems) {
  std::vector<ListenerEndpoint> endpoints;
  for (const auto& text : texts) {
    auto endpoint = read_endpoint(key, text, protocols, problems);
    if (!endpoint) continue;
    if (std::ranges::find(endpoints, endpoint->name, &ListenerEndpoint::name) != endpoints.end())
      problems.push_back(fmt::format("{}: {} stands there twice; each listener needs a name of its own", key,
                                     endpoint->name));
    else
      endpoints.push_back(std::move(*endpoint));
  }
  return endpoints;
}

// One port may be bound once by IPv4 and once by IPv6.
void check_ports(const std::vector<ListenerEndpoint>& endpoints, std::vector<std::string>& problems) {
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto &a = endpoints[j], &b = endpoints[i];
      if (a.port != b.port || a.port == 0) continue;
      if ((is_ipv4(a.host) && is_ipv6(b.host)) || (is_ipv6(a.host) && is_ipv4(b.host))) continue;
      problems.push_back(
          fmt::format("listeners: {} and {} share port {}; that needs one IPv4 and one IPv6 address", a.name,
                      b.name, a.port));
    }
  }
}

std::vector<std::string> names_of(const std::vector<ListenerEndpoint>& endpoints) {
  std::vector<std::string> names;
  for (const auto& each : endpoints) names.push_back(each.name);
  return names;
}

bool has(const std::vector<ListenerEndpoint>& endpoints, std::string_view name) {
  return std::ranges::find(endpoints, name, &ListenerEndpoint::name) != endpoints.end();
}

void read_inter_broker_name(const ConfigMap& given, NetworkConfig& network,
                            std::vector<std::string>& problems) {
  const auto* name = find_given(given, "inter.broker.listener.name");
  if (name && find_given(given, "security.inter.broker.protocol")) {
    problems.push_back(
        "Only one of inter.broker.listener.name and security.inter.broker.protocol may be set");
    return;
  }
  network.inter_broker_listener_name = name ? upper(trimmed(*name)) : "PLAINTEXT";
  if (!has(network.advertised_listeners, network.inter_broker_listener_name))
    problems.push_back(fmt::format(
        "inter.broker.listener.name is {}, which is none of the broker's advertised listeners: set it to one "
        "of {}",
        network.inter_broker_listener_name, fmt::join(names_of(network.advertised_listeners), ", ")));
}

}  // namespace

void read_listeners(const ConfigMap& given, const std::string& host_name, NetworkConfig& network,
                    std::vector<std::string>& problems) {
  const auto problems_before = problems.size();
  std::vector<std::string> controller_names;
  for (const auto& name : node_list(given, "controller.listener.names"))
    controller_names.push_back(upper(name));
  const auto listener_texts = node_list(given, "listeners");
  const auto protocols = read_protocol_map(given, controller_names, listener_texts, problems);
  const auto is_controllers = [&](const ListenerEndpoint& each) {
    return std::ranges::find(controller_names, each.name) != controller_names.end();
  };

  const auto bound = read_endpoints("listeners", listener_texts, protocols, problems);
  if (problems.size() != problems_before) return;
  check_ports(bound, problems);
  for (const auto& name : controller_names)
    if (!has(bound, name))
      problems.push_back(fmt::format(
          "controller.listener.names: {} is not among listeners, as it must be on a controller", name));
  for (const auto& each : bound)
    (is_controllers(each) ? network.controller_listeners : network.listeners).push_back(each);

  auto advertised = bound;
  if (find_given(given, "advertised.listeners"))
    advertised =
        read_endpoints("advertised.listeners", node_list(given, "advertised.listeners"), protocols, problems);
  if (problems.size() != problems_before) return;
  for (auto& each : advertised) {
    if (each.host == "0.0.0.0")
      problems.push_back(
          "advertised.listeners: 0.0.0.0 is no address that a client can connect to; name the host as "
          "clients know it");
    if (is_controllers(each)) continue;
    if (!has(bound, each.name))
      problems.push_back(fmt::format("advertised.listeners: {} is not among listeners ({})", each.name,
                                     fmt::join(names_of(bound), ", ")));
    if (each.host.empty()) each.host = host_name;
    network.advertised_listeners.push_back(std::move(each));
  }
  if (network.advertised_listeners.empty()) {
    problems.push_back(
        "There must be at least one listener for clients. Do all of them stand in "
        "controller.listener.names?");
    return;
  }
  for (const auto& name : node_list(given, "early.start.listeners"))
    if (!has(bound, upper(name)))
      problems.push_back(fmt::format("early.start.listeners: {} is not among listeners", name));
  read_inter_broker_name(given, network, problems);
}

}  // namespace moldau::metadata
