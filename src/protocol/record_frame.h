// The frame before the body of a record in the metadata log: the frame's own version, the record's type and its version,
// each an unsigned varint (KIP-631). Records about remote log segments have it too (KIP-405). Coordinators' records have
// plain int16 prefixes instead, which need no code.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace moldau::protocol {

struct MetadataFrame {
  int16_t type = 0;  // record_type of the message
  int16_t version = 0;
};

inline constexpr uint32_t metadata_frame_version = 1;

// Takes the frame from the front; the body stays in the reader.
[[nodiscard]] inline result<MetadataFrame, DecodeError> read_metadata_frame(Reader& in) {
  const uint32_t frame_version = in.unsigned_varint();
  const uint32_t type = in.unsigned_varint();
  const uint32_t version = in.unsigned_varint();
  if (frame_version != metadata_frame_version) in.fail(DecodeError::Reason::unsupported_version, frame_version);
  if (type > 0x7fff || version > 0x7fff) in.fail(DecodeError::Reason::malformed);
  if (in.failed()) return fail(DecodeError(in.error()));
  return MetadataFrame{static_cast<int16_t>(type), static_cast<int16_t>(version)};
}

inline void write_metadata_frame(Writer& out, MetadataFrame frame) {
  out.unsigned_varint(metadata_frame_version);
  out.unsigned_varint(static_cast<uint32_t>(frame.type));
  out.unsigned_varint(static_cast<uint32_t>(frame.version));
}

}  // namespace moldau::protocol
