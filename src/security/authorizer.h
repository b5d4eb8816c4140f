// Authorizer: says whether a principal may do something to a resource. One for each shard, used on that shard only.
//
// Asked for every resource of every request, so an answer must not wait, and should not allocate.
#pragma once

#include <memory>
#include <string_view>

#include "security/access.h"
#include "security/principal.h"

namespace moldau::security {

// Who asks, as long as the request lives.
struct Caller {
  const Principal* principal = nullptr;
  std::string_view host;  // the client's address
};

struct Action {
  Operation operation;
  ResourceType resource;
  std::string_view name;
  bool log_if_denied = true;  // false where a denial only makes an answer shorter
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  [[nodiscard]] virtual bool may(const Caller& caller, const Action& action) const = 0;
  // Whether there can be any resource of this type, existing or not, to which the caller may do it (KIP-679).
  [[nodiscard]] virtual bool may_for_any(const Caller& caller, Operation operation, ResourceType type) const = 0;
};

// What Kafka does without authorizer.class.name.
[[nodiscard]] std::unique_ptr<Authorizer> allow_all();

}  // namespace moldau::security
