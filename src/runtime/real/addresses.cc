#include "runtime/real/addresses.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace moldau::runtime::real {

std::optional<SocketAddress> parse_literal(const Address& address) {
  SocketAddress parsed;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&parsed.storage);
  if (inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    parsed.size = sizeof *v4;
    return parsed;
  }
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&parsed.storage);
  if (inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    parsed.size = sizeof *v6;
    return parsed;
  }
  return std::nullopt;
}

io_result<std::vector<SocketAddress>> look_up(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) {
    const int number = error == EAI_SYSTEM ? errno : error == EAI_AGAIN ? ETIMEDOUT : EHOSTUNREACH;
    return fail(IoError{number, "resolve", address.host});
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    SocketAddress& copy = addresses.emplace_back();
    memcpy(&copy.storage, each->ai_addr, each->ai_addrlen);
    copy.size = each->ai_addrlen;
  }
  freeaddrinfo(found);
  if (addresses.empty()) return fail(IoError{EHOSTUNREACH, "resolve", address.host});
  return addresses;
}

Address to_address(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return {text, ntohs(v4->sin_port)};
  }
  if (address.family() == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
      inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof text);
    else
      inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    return {text, ntohs(v6->sin6_port)};
  }
  return {};
}

Address local_address(int descriptor) {
  SocketAddress local;
  local.size = sizeof local.storage;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&local.storage), &local.size) != 0) return {};
  return to_address(local);
}

}  // namespace moldau::runtime::real
