// Brings the broker to what new metadata says: every shard takes the image, makes and opens the partitions that it is
// home to, drops those that are gone, hands changed settings to its logs, and starts coordinators.
#pragma once

#include <memory>

#include "broker/broker.h"
#include "metadata/loader.h"

namespace moldau::broker {

// Returns once every shard has done it. Called for one image after the other, on the quorum's shard.
runtime::task<void> apply_metadata(Broker& broker, std::shared_ptr<const metadata::PublishedMetadata> published);

// Opens what could not be opened because a disk was full. To be called now and then, on the shard.
runtime::task<void> retry_unopened(BrokerShard& shard);

}  // namespace moldau::broker
