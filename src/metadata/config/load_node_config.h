// From a property file and overrides to a NodeConfig: reads, checks each key and the rules between keys as
// Kafka does, and says what has no effect here. Pure: the caller reads the file, prints the notes and stops
// on problems.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metadata/config/config_map.h"
#include "metadata/config/node_config.h"

namespace moldau::metadata {

struct ConfigInput {
  std::optional<std::string>
      file_name;  // for messages; nullopt: no file, and default_server_properties in its place
  std::string_view file_bytes;
  std::vector<std::string> overrides;   // KEY=VALUE, later ones win, all win over the file
  bool strict = false;                  // an unknown key is a problem instead of a note
  std::string host_name = "localhost";  // advertised where a listener is bound to every address
};

struct LoadedConfig {
  NodeConfig node;
  ConfigMap given;                 // every key that was set, as text: what DescribeConfigs calls static
  std::vector<std::string> notes;  // to be said once at the start
};

// All that is wrong, a sentence each.
using ConfigProblems = std::vector<std::string>;

[[nodiscard]] result<LoadedConfig, ConfigProblems> load_node_config(const ConfigInput& input);

// What a node goes by without a file: broker and controller in one on 127.0.0.1:9092, data in ./moldau-data,
// internal topics with one replica.
extern const std::string_view default_server_properties;

}  // namespace moldau::metadata
