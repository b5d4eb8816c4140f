// What the two ways of consuming share: options, and where records go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/context.h"
#include "cli/partition_list.h"
#include "cli/progress.h"
#include "cli/record_format.h"
#include "client/fetcher.h"

namespace moldau::cli {

struct ConsumeOptions {
  PartitionList from;
  std::string group;  // empty: none
  std::optional<int64_t> offset;
  std::optional<int64_t> since_ms;  // absolute; negative: so long ago
  std::optional<int64_t> tail;
  bool from_beginning = false;
  std::optional<int64_t> count;
  bool until_end = false;
  std::optional<int64_t> idle_ms;
  client::Isolation isolation = client::Isolation::read_uncommitted;
  bool is_quiet = false;
};

// Prints records and knows when enough have come.
class RecordOutput {
 public:
  RecordOutput(const ConsumeOptions& options, RecordFormat format, bool shows_progress)
      : options_(options), format_(std::move(format)), progress_(shows_progress) {}

  // False when this was the last: the count is reached, or nobody reads the output any more.
  [[nodiscard]] bool put(const client::TopicPartition& partition, const client::FetchedRecord& record);
  // To be called after a run of records, so that a reader of the output sees them. False when they did not get there.
  [[nodiscard]] bool flush();
  [[nodiscard]] int64_t count() const { return count_; }
  // When nothing more comes: failed, and said, if the output could not be written; ok if its reader has gone, who had
  // enough; timed_out if records are still missing.
  [[nodiscard]] ExitCode exit_code_at_end(const Context& context) const;
  // "12 records" on the terminal, when standard error is one and the output is not.
  void report();

 private:
  bool is_written();

  const ConsumeOptions& options_;
  RecordFormat format_;
  Progress progress_;
  int64_t count_ = 0;
  int64_t bytes_ = 0;
  int write_error_ = 0;  // errno of the first write that failed
};

// As a member of a group, through librdkafka: partitions are shared out, and what was printed is committed.
[[nodiscard]] ExitCode consume_as_group(const Context& context, const ConsumeOptions& options,
                                        RecordOutput& output);

}  // namespace moldau::cli
