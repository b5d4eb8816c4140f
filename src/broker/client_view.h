// The metadata as one client may see it: which listener it came by, which version it speaks, and what the gate of its
// request lets it know.
#pragma once

#include "broker/broker.h"
#include "broker/request.h"
#include "metadata/client_view.h"
#include "security/gate.h"

namespace moldau::broker {

// A gate as the answers of src/metadata/ ask it. What the API's line in schema/access.table lacks is refused.
template <protocol::ApiKey api>
class GatedAccess final : public metadata::ClientAccess {
  using Operation = security::Operation;
  using ResourceType = security::ResourceType;
  using Gate = security::Gate<api>;

 public:
  explicit GatedAccess(Gate gate) : gate_(gate) {}

  [[nodiscard]] bool may_describe_topic(std::string_view topic, bool named) const override {
    return may<Operation::describe, ResourceType::topic>(topic, named);
  }
  [[nodiscard]] bool may_create_topic(std::string_view topic) const override {
    return may<Operation::create, ResourceType::cluster>(security::cluster_name, false) ||
           may<Operation::create, ResourceType::topic>(topic, true);
  }
  [[nodiscard]] int32_t topic_operations(std::string_view topic) const override {
    return gate_.operations_on(ResourceType::topic, topic);
  }
  [[nodiscard]] int32_t cluster_operations() const override {
    const bool may_describe = may<Operation::describe, ResourceType::cluster>(security::cluster_name, true);
    return may_describe ? gate_.operations_on(ResourceType::cluster, security::cluster_name) : 0;
  }

 private:
  template <Operation operation, ResourceType type>
  [[nodiscard]] bool may(std::string_view name, bool log_if_denied) const {
    if constexpr (Gate::asks(operation, type))
      return gate_.template may<operation, type>(name, log_if_denied).has_value();
    else
      return false;
  }

  Gate gate_;
};

[[nodiscard]] inline metadata::ClientView client_view(const RequestContext& context, const metadata::ClientAccess& access) {
  return {.listener = context.connection.listener_name,
          .cluster_id = context.broker.cluster_id,
          .node_id = context.broker.config.node_id.value(),
          .version = context.version,
          .access = access};
}

}  // namespace moldau::broker
