// A broker's configuration in layers: the file, the cluster's dynamic defaults, the broker's own dynamic
// values. Made from an image when a request needs it; plain data, one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metadata/config/config_map.h"
#include "metadata/image.h"

namespace moldau::metadata {

// Where a value comes from; the numbers of DescribeConfigsResponse.
enum class ConfigSource : int8_t {
  unknown = 0,
  topic = 1,
  dynamic_broker = 2,
  dynamic_default_broker = 3,
  static_broker = 4,
  default_config = 5,
  dynamic_broker_logger = 6,
  client_metrics = 7,
  group = 8,
};

struct BrokerLayers {
  const ConfigMap* fixed;     // what the node was started with
  ConfigMap dynamic_default;  // of all brokers; what cannot apply is left out
  ConfigMap dynamic_broker;   // of this broker; likewise
  ConfigMap effective;        // all three, merged
};

[[nodiscard]] BrokerLayers broker_layers(const ConfigMap& fixed, const MetadataImage& image, int32_t node_id);

// The stored dynamic values that a broker goes by: not those which only the file may set, nor those of one
// broker alone among the defaults of all, nor bad values.
[[nodiscard]] ConfigMap applicable_dynamic_values(const ConfigMap& stored, bool of_one_broker);

struct ConfigSynonymValue {
  std::string name;
  std::string value;
  ConfigSource source;
};

// Every place where a key of the broker or one of its synonyms is set, the one that counts first. Starts with
// the first place where the key itself is set, as Kafka shows it; empty if that is nowhere.
[[nodiscard]] std::vector<ConfigSynonymValue> places_where_set(const BrokerLayers& layers,
                                                               std::string_view key);

// Whether a name may be set only for one broker and not for all: listeners, security.
[[nodiscard]] bool is_per_broker_only(std::string_view name);
// Whether only the file may set it. Names that are not known may be set while running.
[[nodiscard]] bool is_read_only(std::string_view name);

}  // namespace moldau::metadata
