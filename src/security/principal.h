// Who is at the other end of a connection, as its listener found out.
#pragma once

#include <string>

namespace moldau::security {

struct Principal {
  std::string type = "User";
  std::string name = "ANONYMOUS";  // until an authentication says otherwise; all that PLAINTEXT ever learns

  friend bool operator==(const Principal&, const Principal&) = default;
};

}  // namespace moldau::security
