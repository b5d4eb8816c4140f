#include "storage/run_file.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "base/log.h"
#include "base/mutant.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::io_result;
using runtime::OpenMode;
using runtime::task;

namespace {

constexpr std::string_view run_file = ".moldau_run";
constexpr size_t flush_line_bytes = 256;
constexpr std::string_view no_failed_flush = "flush=ok";
constexpr int64_t change_is_writing_ms = 5'000;  // between asking for the time and the file's change

std::string path_in(const std::string& log_dir) { return fmt::format("{}/{}", log_dir, run_file); }

std::string flush_line(std::string_view state) {
  std::string line(state.substr(0, flush_line_bytes - 1));
  line.resize(flush_line_bytes - 1, ' ');
  return line + "\n";
}

// The rest of the line that begins with `key`; empty if there is none.
std::string_view value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (text.substr(0, end).starts_with(key)) return text.substr(key.size(), end - key.size());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

int64_t number_in(std::string_view text, int64_t otherwise) {
  int64_t number = otherwise;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : otherwise;
}

task<io_result<>> write_in_place(FilePtr file, std::string text) {
  const ByteView parts[] = {as_bytes(text)};
  co_return co_await file->write_at(0, parts);
}

}  // namespace

task<io_result<LastRun>> read_run_file(runtime::Environment& environment, std::string log_dir) {
  LastRun last;
  const std::string path = path_in(log_dir);
  const auto read = co_await runtime::read_file(environment.files(), path, 4096);
  if (!read && read.error().error_number == ENOENT) co_return last;
  if (!read) co_return fail(read.error());
  MOLDAU_CO_TRY(const runtime::FileStatus status, co_await environment.files().status(path));
  const std::string_view text = as_text(*read);
  const std::string_view boot_id = value_of(text, "boot.id=");
  const std::string this_boot = environment.boot_id();
  const bool may_be_same_boot = boot_id.empty() || this_boot.empty() || boot_id == this_boot;
  last.is_of_another_boot = !may_be_same_boot;
  const std::string_view flush = value_of(text, "flush=");
  last.had_failed_flush = may_be_same_boot && !flush.empty() && !flush.starts_with("ok ");
  const int64_t written_ms = number_in(value_of(text, "written.ms="), -1);
  const bool is_no_copy = std::abs(status.changed_ms - written_ms) <= change_is_writing_ms;
  last.is_of_this_boot = !last.had_failed_flush && !this_boot.empty() && boot_id == this_boot && is_no_copy;
  if (MOLDAU_MUTANT("power-cut-taken-for-kill")) last.is_of_this_boot = true;
  last.leader_epoch = static_cast<int32_t>(number_in(value_of(text, "leader.epoch="), -1));
  co_return last;
}

task<io_result<>> write_run_file(runtime::Environment& environment, std::string log_dir, int32_t leader_epoch) {
  const std::string boot_id = environment.boot_id();
  if (boot_id.empty()) co_return io_result<>{};
  // Written in its place: what a power cut leaves of it is of an older start of the machine either way.
  MOLDAU_CO_TRY(const FilePtr file, co_await environment.files().open(path_in(log_dir), OpenMode::truncate));
  MOLDAU_CO_CHECK(co_await write_in_place(file, fmt::format("{}boot.id={}\nwritten.ms={}\nleader.epoch={}\n", flush_line(no_failed_flush), boot_id,
                                                            environment.wall_clock_ms(), leader_epoch)));
  MOLDAU_CO_CHECK(co_await file->sync());
  co_return co_await environment.files().sync_directory(log_dir);
}

task<io_result<>> remove_run_file(runtime::FileSystem& files, std::string log_dir) {
  const auto removed = co_await files.remove(path_in(log_dir));
  if (!removed && removed.error().error_number == ENOENT) co_return io_result<>{};
  co_return removed;
}

io_result<> note_failed_flush(runtime::File& file, const std::string& reason) {
  return file.write_waiting(0, as_bytes(flush_line("flush=failed " + reason)));
}

task<io_result<>> keep_run_file_open(runtime::FileSystem& files, DirectoryHealthPtr health) {
  MOLDAU_CO_TRY(FilePtr file, co_await files.open(path_in(health->path()), OpenMode::create));
  MOLDAU_CO_TRY(const uint64_t size_bytes, co_await file->size());
  if (size_bytes < flush_line_bytes) MOLDAU_CO_CHECK(co_await write_in_place(file, flush_line(no_failed_flush)));
  health->keep_run_file(std::move(file));
  co_return io_result<>{};
}

// What the page cache takes is enough, whatever the medium says: it is gone when the records are that it hides. If it does
// not take the note either, the file goes, and the next start reads everything at least.
task<io_result<>> write_failed_flush(runtime::FileSystem& files, std::string log_dir, std::string reason) {
  const auto file = co_await files.open(path_in(log_dir), OpenMode::create);
  if (!file) co_return fail(file.error());
  if (auto written = note_failed_flush(**file, reason); !written) {
    (void)co_await remove_run_file(files, log_dir);
    co_return written;
  }
  co_return co_await (*file)->sync();
}

task<void> record_failed_flush(runtime::FileSystem& files, DirectoryHealthPtr health, std::string reason) {
  health->set_offline(reason);
  if (!health->claim_failed_flush()) co_return;
  const FilePtr noted = health->noted_in();
  const auto written = noted != nullptr ? co_await noted->sync() : co_await write_failed_flush(files, health->path(), std::move(reason));
  if (!written)
    log_error("{}: that a flush has failed could not be put on the disk either ({}); restart the machine, not the process", health->path(),
              written.error().message());
}

}  // namespace moldau::storage
