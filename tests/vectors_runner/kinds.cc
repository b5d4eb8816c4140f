#include "vectors_runner/kinds.h"

namespace moldau::vectors {

std::span<const Kind> kinds() {
  static constexpr Kind all[] = {
      {"messages/", check_messages},
      {"batches.jsonl", check_batches},
      {"logs.jsonl", check_logs},
      {"values/framing.jsonl", check_framing},
      {"values/murmur2.jsonl", check_murmur2},
      {"values/crc.jsonl", check_checksums},
      {"values/uuid.jsonl", check_uuids},
      {"values/varint.jsonl", check_varints},
      {"values/topic-name.jsonl", check_topic_names},
      {"values/coordinator-partition.jsonl", check_coordinator_partitions},
      {"values/share-partition.jsonl", check_share_partitions},
      {"tables/errors.json", check_errors},
      {"tables/api-keys.json", check_api_keys},
      {"tables/api-versions.json", check_api_versions},
      {"tables/broker-configs.json", check_config_keys},
      {"tables/topic-configs.json", check_config_keys},
      {"tables/group-configs.json", check_config_keys},
      {"tables/client-metrics-configs.json", check_config_keys},
      {"tables/user-client-quota-configs.json", check_config_keys},
      {"tables/ip-quota-configs.json", check_config_keys},
  };
  return all;
}

}  // namespace moldau::vectors
