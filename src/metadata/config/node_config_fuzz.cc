// Any bytes as a node's property file: whatever they say, the node gets a configuration or a list of
// sentences. Every value that a key takes must be taken again in the form in which it is shown.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "metadata/config/config_tables.h"
#include "metadata/config/load_node_config.h"
#include "metadata/config/properties.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau::metadata;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string with_roles = "process.roles=broker,controller\nnode.id=1\n";
  with_roles += bytes;
  const auto loaded = load_node_config({.file_name = "fuzz", .file_bytes = with_roles});
  if (!loaded)
    MOLDAU_ASSERT(!loaded.error().empty());
  else
    MOLDAU_ASSERT(!loaded->node.network.listeners.empty() && !loaded->node.logs.log_dirs.empty());

  const auto properties = parse_properties(bytes);
  if (!properties) return 0;
  for (const auto& property : *properties) {
    for (const auto* key : {find_node_key(property.key), find_config_key(ConfigTable::topic, property.key),
                            find_config_key(ConfigTable::group, property.key)}) {
      if (!key) continue;
      const auto value = parse_config_value(*key, property.value);
      if (!value) continue;
      const auto again = parse_config_value(*key, config_value_text(*value));
      MOLDAU_ASSERT(again && (*again == *value || config_value_text(*again) == config_value_text(*value)));
    }
  }
  return 0;
}
