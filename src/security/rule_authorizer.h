// An authorizer for tests: what no rule allows is denied.
#pragma once

#include <set>
#include <string>
#include <tuple>

#include "security/authorizer.h"

namespace moldau::security {

class RuleAuthorizer final : public Authorizer {
 public:
  // "*" stands for every name.
  RuleAuthorizer& allow(Operation operation, ResourceType type, std::string name) {
    rules_.emplace(operation, type, std::move(name));
    return *this;
  }
  RuleAuthorizer& allow_on_cluster(Operation operation) { return allow(operation, ResourceType::cluster, std::string(cluster_name)); }

  [[nodiscard]] bool may(const Caller&, const Action& action) const override {
    return rules_.contains({action.operation, action.resource, std::string(action.name)}) ||
           rules_.contains({action.operation, action.resource, "*"});
  }
  [[nodiscard]] bool may_for_any(const Caller&, Operation operation, ResourceType type) const override {
    const auto at = rules_.lower_bound({operation, type, ""});
    return at != rules_.end() && std::get<0>(*at) == operation && std::get<1>(*at) == type;
  }

 private:
  std::set<std::tuple<Operation, ResourceType, std::string>> rules_;
};

}  // namespace moldau::security
