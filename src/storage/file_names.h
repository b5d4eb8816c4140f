// The names of the files in a partition's directory: twenty digits of base offset, what the file is, and in which stage
// of its life it is. Pure functions on text; nothing here touches a disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace moldau::storage {

enum class FileKind : uint8_t { log, offset_index, time_index, transaction_index, producer_snapshot };

// `deleted` waits for its removal, `cleaned` is the unfinished output of compaction, `swap` the finished one.
enum class FileStage : uint8_t { live, deleted, cleaned, swap };

struct SegmentFileName {
  Offset base_offset;
  FileKind kind = FileKind::log;
  FileStage stage = FileStage::live;
  friend bool operator==(const SegmentFileName&, const SegmentFileName&) = default;
};

// ".log", ".index", ".timeindex", ".txnindex", ".snapshot".
[[nodiscard]] std::string_view extension(FileKind kind);
// "", ".deleted", ".cleaned", ".swap".
[[nodiscard]] std::string_view suffix(FileStage stage);

// "00000000000000000042.log"
[[nodiscard]] std::string file_name(Offset base_offset, FileKind kind, FileStage stage = FileStage::live);
[[nodiscard]] std::string file_path(std::string_view directory, Offset base_offset, FileKind kind,
                                    FileStage stage = FileStage::live);
// Null for any name that file_name cannot have made.
[[nodiscard]] std::optional<SegmentFileName> parse_file_name(std::string_view name);

}  // namespace moldau::storage
