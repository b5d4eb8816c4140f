// The one thing that the coordinator reads in a member's metadata: the topics that a consumer subscribes to. They stand
// first in every version of Kafka's consumer protocol; all else is the clients' own.
#pragma once

#include <set>
#include <string>

#include "base/bytes.h"

namespace moldau::groups {

// Adds the subscription's topics; false if the bytes are not a consumer subscription (some clients send their own).
[[nodiscard]] bool add_subscribed_topics(ByteView metadata, std::set<std::string>& topics);

}  // namespace moldau::groups
