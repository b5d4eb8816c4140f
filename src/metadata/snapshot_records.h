// An image as the records of a snapshot, in the order and the versions in which Kafka 4.3 writes and loads them:
// features, brokers, controllers, topics each with its partitions, settings, quotas, producer ids, ACLs, SCRAM
// credentials, tokens. Replayed onto an empty image they give the same image.
#pragma once

#include "metadata/image.h"
#include "metadata/metadata_record.h"

namespace moldau::metadata {

[[nodiscard]] MetadataRecords snapshot_records(const MetadataImage& image);

// Single parts, which the controller writes too.
[[nodiscard]] MetadataRecord partition_record(const Uuid& topic_id, const Partition& partition,
                                              const MetadataVersion& version);
[[nodiscard]] MetadataRecord broker_record(const Broker& broker, const MetadataVersion& version);
[[nodiscard]] MetadataRecord controller_record(const RegisteredController& controller);

}  // namespace moldau::metadata
