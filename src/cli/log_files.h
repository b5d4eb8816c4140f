// The files of Kafka's log directories, found and opened for reading offline. Nothing here changes a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace moldau::cli {

struct LogFile {
  enum class Kind : uint8_t {
    segment,            // .log, and the .checkpoint snapshots of the metadata log: record batches
    offset_index,       // .index
    time_index,         // .timeindex
    transaction_index,  // .txnindex
    producer_snapshot,  // .snapshot
    text,               // checkpoints, meta.properties, partition.metadata, quorum-state ...
  };
  Kind kind = Kind::text;
  std::string path;
  std::string topic;  // by the folder's name; empty outside a partition
  int32_t partition = -1;
  int64_t base_offset = -1;  // in the file's name
};

// What the file's name and folder say; null for files that are none of a log directory's.
[[nodiscard]] std::optional<LogFile> log_file_of(const std::string& path);

// The file at `path`, or every known file below the directory `path`: partition by partition, segments in the
// order of their offsets with what belongs to them. The error is a sentence.
[[nodiscard]] result<std::vector<LogFile>, std::string> find_log_files(const std::string& path);

// A file's bytes, mapped. If another process cuts the file meanwhile, reading what was cut ends this process.
class MappedFile {
 public:
  [[nodiscard]] static result<MappedFile, std::string> open(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  [[nodiscard]] ByteView bytes() const { return bytes_; }

 private:
  explicit MappedFile(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

}  // namespace moldau::cli
