// min.insync.replicas and what hangs on it: which value a topic has, and the records that go with a change of it while
// eligible leader replicas are on (KIP-966). Pure functions of the image.
#pragma once

#include <cstdint>
#include <string_view>

#include "metadata/image.h"
#include "metadata/metadata_record.h"

namespace moldau::controller {

// A topic's own value, else the cluster's dynamic default, else `fallback` (of the static configuration).
[[nodiscard]] int32_t effective_min_insync_replicas(const metadata::MetadataImage& image, std::string_view topic,
                                                    int32_t fallback);
[[nodiscard]] bool effective_unclean_leader_election(const metadata::MetadataImage& image, std::string_view topic,
                                                     bool fallback);

// The cluster's dynamic default as a record.
[[nodiscard]] metadata::MetadataRecord cluster_min_insync_record(int32_t value);

// Who was eligible under another minimum need not be now: with the feature on, every change of min.insync.replicas
// among `records` is followed by the clearing of the topic's eligible leaders, or of all topics'.
void add_elr_clearing(const metadata::MetadataImage& image, metadata::MetadataRecords& records);

}  // namespace moldau::controller
