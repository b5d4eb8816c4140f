// What may be done to what, in Kafka's terms and numbers, and one check of the table of access (schema/access.table).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/api_key.h"

namespace moldau::security {

// Kafka's AclOperation.
enum class Operation : int8_t {
  read = 3,
  write = 4,
  create = 5,
  delete_ = 6,
  alter = 7,
  describe = 8,
  cluster_action = 9,
  describe_configs = 10,
  alter_configs = 11,
  idempotent_write = 12,
  create_tokens = 13,
  describe_tokens = 14,
};

// Kafka's ResourceType.
enum class ResourceType : int8_t { topic = 2, group = 3, cluster = 4, transactional_id = 5, delegation_token = 6, user = 7 };

// The only resource of type `cluster`.
inline constexpr std::string_view cluster_name = "kafka-cluster";

struct Check {
  Operation operation;
  ResourceType resource;
  std::string_view field;  // of the request, which names the resource; "-" for the cluster, "*" for any of the type
};

struct AccessLine {
  protocol::ApiKey api;
  std::span<const Check> checks;  // empty: open to everybody who may connect
};

// The operations that mean something for a resource of this type, as bits by number (KIP-430).
[[nodiscard]] constexpr int32_t operations_of(ResourceType type) {
  constexpr auto bits = [](auto... operations) { return (0 | ... | (1 << static_cast<int>(operations))); };
  using enum Operation;
  switch (type) {
    case ResourceType::topic: return bits(read, write, create, delete_, alter, describe, describe_configs, alter_configs);
    case ResourceType::group: return bits(read, delete_, describe, describe_configs, alter_configs);
    case ResourceType::cluster:
      return bits(create, alter, describe, cluster_action, describe_configs, alter_configs, idempotent_write);
    case ResourceType::transactional_id: return bits(write, describe);
    case ResourceType::delegation_token: return bits(describe);
    case ResourceType::user: return bits(create_tokens, describe_tokens);
  }
  return 0;
}

}  // namespace moldau::security
