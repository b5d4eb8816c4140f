// Between Address and the system's socket addresses.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <vector>

#include "runtime/network.h"

namespace moldau::runtime::real {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

// Of an IPv4 or IPv6 literal; null if the host is a name.
[[nodiscard]] std::optional<SocketAddress> parse_literal(const Address& address);
// Asks the resolver, which may take seconds; in its order of preference. EHOSTUNREACH if there is no such name.
[[nodiscard]] io_result<std::vector<SocketAddress>> look_up(const Address& address);
// IPv4 addresses that came over an IPv6 socket are given as IPv4.
[[nodiscard]] Address to_address(const SocketAddress& address);
[[nodiscard]] Address local_address(int descriptor);

}  // namespace moldau::runtime::real
