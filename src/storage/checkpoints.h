// Kafka's small text files: the checkpoints of a log directory and of a partition, and `partition.metadata`.
//
// A checkpoint is a version line ("0"), a line with the number of entries, and one line for each. Pure text here; they
// are replaced as runtime::write_file_atomically does. Reading takes nothing on trust: what does not parse, or holds
// another number of entries than it says, is malformed and gives a sentence that says what is wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "storage/leader_epochs.h"

namespace moldau::storage {

inline constexpr std::string_view recovery_point_file = "recovery-point-offset-checkpoint";
inline constexpr std::string_view log_start_file = "log-start-offset-checkpoint";
inline constexpr std::string_view high_watermark_file = "replication-offset-checkpoint";
inline constexpr std::string_view cleaner_file = "cleaner-offset-checkpoint";
inline constexpr std::string_view leader_epoch_file = "leader-epoch-checkpoint";
inline constexpr std::string_view partition_metadata_file = "partition.metadata";

struct PartitionOffset {
  std::string topic;
  int32_t partition = 0;
  Offset offset;
  friend bool operator==(const PartitionOffset&, const PartitionOffset&) = default;
};

using Malformed = std::string;

[[nodiscard]] Bytes encode_partition_offsets(const std::vector<PartitionOffset>& entries);
[[nodiscard]] result<std::vector<PartitionOffset>, Malformed> decode_partition_offsets(ByteView text);

[[nodiscard]] Bytes encode_leader_epochs(const LeaderEpochs& epochs);
// An empty file is an empty history.
[[nodiscard]] result<LeaderEpochs, Malformed> decode_leader_epochs(ByteView text);

[[nodiscard]] Bytes encode_partition_metadata(Uuid topic_id);
[[nodiscard]] result<Uuid, Malformed> decode_partition_metadata(ByteView text);

}  // namespace moldau::storage
