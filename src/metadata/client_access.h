// What the client who asks may see and do of what an answer describes. The broker's gate says it; answers only ask.
#pragma once

#include <cstdint>
#include <string_view>

namespace moldau::metadata {

class ClientAccess {
 public:
  virtual ~ClientAccess() = default;
  // `named`: the client asked for this very topic, so a denial is worth a line in the log.
  [[nodiscard]] virtual bool may_describe_topic(std::string_view topic, bool named) const = 0;
  [[nodiscard]] virtual bool may_create_topic(std::string_view topic) const = 0;
  // Sets of operations as bits (KIP-430); 0 of the cluster for who may not describe it.
  [[nodiscard]] virtual int32_t topic_operations(std::string_view topic) const = 0;
  [[nodiscard]] virtual int32_t cluster_operations() const = 0;
};

}  // namespace moldau::metadata
