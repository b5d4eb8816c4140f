// The rules between keys of a node: which value must not be above which other, as Kafka checks them at the
// start and when a broker's configuration is changed while it runs.
#pragma once

#include <string>
#include <vector>

#include "metadata/config/config_map.h"

namespace moldau::metadata {

// Adds a sentence for every broken rule. Every given value must be valid by itself.
void check_rules_between_keys(const ConfigMap& given, std::vector<std::string>& problems);

// Those of them that concern keys which may change while the node runs.
void check_rules_between_dynamic_keys(const ConfigMap& given, std::vector<std::string>& problems);

// What log.dirs names, or log.dir where that is not given.
[[nodiscard]] std::vector<std::string> named_log_dirs(const ConfigMap& given);
// What cordoned.log.dirs names, spelled as there.
[[nodiscard]] std::vector<std::string> cordoned_log_dirs(const ConfigMap& given);

}  // namespace moldau::metadata
