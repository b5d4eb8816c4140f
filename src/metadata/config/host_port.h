// Addresses in configuration: HOST:PORT, [IPv6]:PORT and ID@HOST:PORT. Nothing is looked up here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moldau::metadata {

struct HostPort {
  std::string host;  // without brackets; may be empty
  uint16_t port = 0;
};

struct IdHostPort {
  int32_t id = 0;
  HostPort address;
};

// The characters that Kafka takes in a host: letters, digits and - % . _ :
[[nodiscard]] bool is_host_text(std::string_view host);

[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);
[[nodiscard]] std::optional<IdHostPort> parse_voter(std::string_view text);

// Dotted decimal, or anything with a colon and only hexadecimal digits, dots and a zone.
[[nodiscard]] bool is_ipv4(std::string_view host);
[[nodiscard]] bool is_ipv6(std::string_view host);

}  // namespace moldau::metadata
