#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

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
  return is_written() && (!options_.count || count_ < *options_.count);
}

bool RecordOutput::is_written() {
  if (std::ferror(stdout) == 0) return true;
  if (write_error_ == 0) write_error_ = errno;
  return false;
}

bool RecordOutput::flush() {
  (void)std::fflush(stdout);
  return is_written();
}

ExitCode RecordOutput::exit_code_at_end(const Context& context) const {
  if (write_error_ == EPIPE) return ExitCode::ok;
  if (write_error_ != 0)
    return fail_with(context, {.kind = client::Error::Kind::server,
                               .message = fmt::format("cannot write to standard output: {}", std::strerror(write_error_))});
  return options_.count && count_ < *options_.count ? ExitCode::timed_out : ExitCode::ok;
}

void RecordOutput::report() {
  progress_.clear();
  if (!is_error_terminal() || (is_output_terminal() && !options_.is_quiet)) return;
  fmt::print(stderr, "Read {} record{} ({}) in {}.\n", count_text(count_), count_ == 1 ? "" : "s",
             size_text(static_cast<uint64_t>(bytes_)),
             duration_text(static_cast<int64_t>(progress_.seconds() * 1000)));
}

}  // namespace moldau::cli
