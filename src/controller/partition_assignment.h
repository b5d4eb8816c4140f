// New partitions: their replicas, chosen here or named by the client, as partitions with a leader and directories.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "metadata/api_error.h"
#include "metadata/image.h"

namespace moldau::controller {

// The directory of a new replica: the broker's one directory, else unassigned for the broker to choose (KIP-858).
[[nodiscard]] Uuid default_directory(const metadata::MetadataImage& image, int32_t broker);

// A partition on these replicas; those of them that are active are in sync, the first of those leads. Null if none is.
[[nodiscard]] std::optional<metadata::Partition> new_partition(const metadata::MetadataImage& image, int32_t index,
                                                               std::vector<int32_t> replicas);

// Why a client's list of replicas cannot be: empty, an unknown broker, one twice, not as many as the others have.
[[nodiscard]] std::optional<metadata::ApiError> check_manual_assignment(const metadata::MetadataImage& image,
                                                                        const std::vector<int32_t>& replicas,
                                                                        std::optional<size_t> replication_factor);

// `count` partitions from `first_index` on, placed by the striped placer.
[[nodiscard]] result<std::vector<metadata::Partition>, metadata::ApiError> placed_partitions(
    const metadata::MetadataImage& image, int32_t first_index, int32_t count, int16_t replication_factor,
    const std::function<uint64_t()>& random);

}  // namespace moldau::controller
