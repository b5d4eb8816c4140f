// Topics that come into being because somebody needs them: what a client asks Metadata for, and the coordinators' own.
#pragma once

#include <string>
#include <vector>

#include "broker/broker.h"
#include "broker/request.h"

namespace moldau::broker {

// Creates those of `names` that do not exist, each with the node's defaults, the topics of coordinators with theirs.
// Returns when every shard knows them; a name that cannot be a topic's is left out.
runtime::task<void> create_missing_topics(Broker& broker, std::vector<std::string> names);

}  // namespace moldau::broker
