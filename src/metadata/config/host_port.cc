#include "metadata/config/host_port.h"

#include <algorithm>

#include "metadata/config/config_value.h"

namespace moldau::metadata {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

bool is_host_text(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return is_alphanumeric(c) || std::string_view("-%._:").find(c) != std::string_view::npos;
  });
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port_text = text.substr(colon + 1);
  if (port_text.empty() || port_text.front() < '0' || port_text.front() > '9') return std::nullopt;
  const auto port = parse_integer(port_text, 0, UINT16_MAX);
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']') && host.size() >= 2)
    host = host.substr(1, host.size() - 2);
  if (!port || !is_host_text(host)) return std::nullopt;
  return HostPort{std::string(host), static_cast<uint16_t>(*port)};
}

std::optional<IdHostPort> parse_voter(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto id = parse_integer(text.substr(0, at), 0, INT32_MAX);
  auto address = parse_host_port(text.substr(at + 1));
  if (!id || !address || address->host.empty()) return std::nullopt;
  return IdHostPort{static_cast<int32_t>(*id), std::move(*address)};
}

bool is_ipv4(std::string_view host) {
  int parts = 0;
  while (parts < 4) {
    const auto dot = host.find('.');
    const auto part = host.substr(0, dot);
    if (part.empty() || part.size() > 3 || !parse_integer(part, 0, 255)) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    host.remove_prefix(dot + 1);
  }
  return false;
}

bool is_ipv6(std::string_view host) {
  host = host.substr(0, host.find('%'));
  return host.find(':') != std::string_view::npos &&
         std::ranges::all_of(host, [](char c) { return is_hexadecimal(c) || c == ':' || c == '.'; });
}

}  // namespace moldau::metadata
