// Batches of the metadata log and of its snapshots, written and read. Uncompressed v2 batches without a producer; data
// records have a null key, control records a key of two int16 (0, type) and a message as value.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "protocol/messages/kraft_version_record.h"
#include "protocol/messages/leader_change_message.h"
#include "protocol/messages/snapshot_footer_record.h"
#include "protocol/messages/snapshot_header_record.h"
#include "protocol/messages/voters_record.h"

namespace moldau::raft {

using ControlRecord = std::variant<protocol::LeaderChangeMessage, protocol::SnapshotHeaderRecord,
                                   protocol::SnapshotFooterRecord, protocol::KRaftVersionRecord, protocol::VotersRecord>;

struct MetadataBatch {
  Offset base_offset{0};
  LeaderEpoch epoch{0};
  int64_t timestamp_ms = 0;             // of its newest record
  std::vector<Bytes> data;              // values of the records; of a data batch
  std::vector<ControlRecord> control;   // of a control batch; types that are not known here are left out
  bool is_control = false;
  int32_t record_count = 0;
  uint32_t size_bytes = 0;

  [[nodiscard]] Offset next_offset() const { return base_offset + record_count; }
};

[[nodiscard]] Bytes write_data_batch(Offset base_offset, LeaderEpoch epoch, int64_t timestamp_ms,
                                     std::span<const Bytes> values);
[[nodiscard]] Bytes write_control_batch(Offset base_offset, LeaderEpoch epoch, int64_t timestamp_ms,
                                        std::span<const ControlRecord> records);

struct BatchesRead {
  std::vector<MetadataBatch> batches;
  size_t valid_bytes = 0;  // how far whole batches reach; less than given if the last one is cut off
};
// Whole batches from the start of `bytes`. A batch that is there but damaged (length, CRC, records) is an error, a
// sentence with its position.
[[nodiscard]] result<BatchesRead, std::string> read_batches(ByteView bytes);

}  // namespace moldau::raft
