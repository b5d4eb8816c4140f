// Gate: where every request is checked. The handler of an API gets the Gate of that API and no other.
//
// A Gate asks only what the API's line in schema/access.table says (anything else does not compile), and what it allows
// comes as an Authorized, which nothing else can make. Whatever reaches partitions, groups, the quorum or the disks takes
// an Authorized, so that a handler that forgot its check does not compile. A Gate is small and copied by value; it and
// the names in its answers live as long as their request. No allocation on the way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "security/access_table.h"
#include "security/authorizer.h"

namespace moldau::security {

// The permission to do one thing to one resource, or to those that were kept by Gate::sift.
class Authorized {
 public:
  [[nodiscard]] Operation operation() const { return operation_; }
  [[nodiscard]] ResourceType resource() const { return resource_; }
  [[nodiscard]] std::string_view name() const { return name_; }  // empty after sift

  // For what the node does of its own accord; never on behalf of a client.
  [[nodiscard]] static Authorized as_node() { return {Operation::cluster_action, ResourceType::cluster, cluster_name}; }

 private:
  template <protocol::ApiKey api>
  friend class Gate;
  Authorized(Operation operation, ResourceType resource, std::string_view name)
      : operation_(operation), resource_(resource), name_(name) {}

  Operation operation_;
  ResourceType resource_;
  std::string_view name_;
};

struct Resource {
  ResourceType type;
  std::string_view name;
};

// What is left of the things that a request named, and what was taken out.
template <class T>
struct Sifted {
  Authorized kept;        // for all that stayed
  std::vector<T> denied;  // in the order of the request
};

template <protocol::ApiKey api>
class Gate {
 public:
  Gate(const Authorizer& authorizer, const Caller& caller) : authorizer_(&authorizer), caller_(caller) {}

  // Whether the API's line has this check.
  [[nodiscard]] static constexpr bool asks(Operation operation, ResourceType type) {
    return std::ranges::any_of(AccessOf<api>::checks,
                               [=](const Check& check) { return check.operation == operation && check.resource == type; });
  }

  template <Operation operation, ResourceType type>
  [[nodiscard]] std::optional<Authorized> may(std::string_view name, bool log_if_denied = true) const {
    static_assert(asks(operation, type), "schema/access.table does not give this API this check");
    if (!authorizer_->may(caller_, {operation, type, name, log_if_denied})) return std::nullopt;
    return Authorized(operation, type, name);
  }

  template <Operation operation>
  [[nodiscard]] std::optional<Authorized> may_on_cluster(bool log_if_denied = true) const {
    return may<operation, ResourceType::cluster>(cluster_name, log_if_denied);
  }

  template <Operation operation, ResourceType type>
  [[nodiscard]] bool may_for_any() const {
    static_assert(asks(operation, type), "schema/access.table does not give this API this check");
    return authorizer_->may_for_any(caller_, operation, type);
  }

  // Takes out of `things` those that the caller may not touch. `resource_of` gives the Resource behind one, or nothing
  // where the caller's rights do not matter, because it will be refused whoever asks.
  template <Operation operation, class T, class ResourceOf>
  [[nodiscard]] Sifted<T> sift(std::vector<T>& things, ResourceOf resource_of) const {
    Sifted<T> sifted{Authorized(operation, ResourceType::cluster, {}), {}};
    auto kept_end = things.begin();
    for (auto at = things.begin(); at != things.end(); ++at) {
      const std::optional<Resource> resource = resource_of(std::as_const(*at));
      MOLDAU_ASSERT(!resource || asks(operation, resource->type));
      if (resource && !authorizer_->may(caller_, {operation, resource->type, resource->name, true})) {
        sifted.denied.push_back(std::move(*at));
        continue;
      }
      if (kept_end != at) *kept_end = std::move(*at);
      ++kept_end;
    }
    things.erase(kept_end, things.end());
    return sifted;
  }

  // Which of the operations that mean something for the resource the caller may do, as bits (KIP-430).
  [[nodiscard]] int32_t operations_on(ResourceType type, std::string_view name) const {
    int32_t allowed = 0;
    for (int bit = 0; bit < 31; ++bit) {
      if ((operations_of(type) & 1 << bit) == 0) continue;
      if (authorizer_->may(caller_, {static_cast<Operation>(bit), type, name, false})) allowed |= 1 << bit;
    }
    return allowed;
  }

  // For an API that asks nothing of its caller.
  void is_open() const {
    static_assert(AccessOf<api>::checks.empty(), "schema/access.table asks something of this API's callers");
  }

 private:
  const Authorizer* authorizer_;
  Caller caller_;
};

}  // namespace moldau::security
