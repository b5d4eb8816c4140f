// Directories that take nothing new (KIP-1066, cordoned.log.dirs): they are marked where new logs are placed, and the controller is
// told, which makes no partition on a broker whose every directory is cordoned. What lies there is served as ever.
//
// The key may change while the node runs. Everything here is done on shard 0.
#pragma once

#include "broker/broker.h"

namespace moldau::broker {

// Takes over what the key says now; without effect below metadata.version 4.3-IV0. Once the node serves, a change is told to the
// controller in the background.
void take_cordoned(Broker& broker, const metadata::MetadataImage& image, const metadata::ConfigMap& effective);

// What the next heartbeat has to say of it; null if the controller knows.
[[nodiscard]] std::optional<std::vector<Uuid>> cordoned_to_tell(const Broker& broker);

}  // namespace moldau::broker
