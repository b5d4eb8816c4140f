#include <fmt/core.h>

#include <cstdio>

#include "cli/consume.h"
#include "cli/units.h"

namespace moldau::cli {

bool RecordOutput::put(const client::TopicPartition& partition, const client::FetchedRecord& record) {
  const std::string text = format_(partition, record);
  if (!options_.is_quiet) print(text);
  ++count_;
  bytes_ +=
      static_cast<int64_t>((record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0));
  if (progress_.is_due()) {
    progress_.show(
        fmt::format("{} records, {}, {}/s", count_text(count_), size_text(static_cast<uint64_t>(bytes_)),
                    count_text(static_cast<int64_t>(static_cast<double>(count_) / progress_.seconds()))));
  }
  return std::ferror(stdout) == 0 && (!options_.count || count_ < *options_.count);
}

bool RecordOutput::flush() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

void RecordOutput::report() {
  progress_.clear();
  if (!is_error_terminal() || (is_output_terminal() && !options_.is_quiet)) return;
  fmt::print(stderr, "Read {} record{} ({}) in {}.\n", count_text(count_), count_ == 1 ? "" : "s",
             size_text(static_cast<uint64_t>(bytes_)),
             duration_text(static_cast<int64_t>(progress_.seconds() * 1000)));
}

}  // namespace moldau::cli
