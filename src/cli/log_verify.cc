#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/log_check.h"
#include "cli/log_files.h"
#include "cli/progress.h"
#include "cli/units.h"

namespace moldau::cli {

namespace {

struct Tally {
  int64_t files = 0;
  int64_t segments = 0;
  int64_t batches = 0;
  int64_t records = 0;
  uint64_t bytes = 0;
  std::vector<Damage> damage;
};

bool is_checkpoint(const std::string& path) { return path.ends_with("-checkpoint"); }

// Checks the files of one folder, in the order of their offsets: a segment comes before its indexes.
void check_folder(const std::vector<LogFile>& files, Tally& tally, Progress& progress) {
  CheckedSegment segment;
  int64_t segment_base = -1;
  int64_t previous_end = -1;
  for (const LogFile& file : files) {
    const auto mapped = MappedFile::open(file.path);
    if (!mapped) {
      tally.damage.push_back({file.path, 0, mapped.error()});
      continue;
    }
    const ByteView bytes = mapped->bytes();
    const bool has_segment = segment_base == file.base_offset;
    switch (file.kind) {
      case LogFile::Kind::segment: {
        const bool is_snapshot = file.path.ends_with(".checkpoint");
        CheckedSegment checked = check_segment(file.path, bytes, is_snapshot ? -1 : file.base_offset,
                                               is_snapshot ? -1 : previous_end, tally.damage);
        ++tally.segments;
        tally.batches += static_cast<int64_t>(checked.batches.size());
        tally.records += checked.records;
        if (is_snapshot) break;
        segment = std::move(checked);
        segment_base = file.base_offset;
        if (!segment.batches.empty()) previous_end = segment.batches.back().last_offset + 1;
        break;
      }
      case LogFile::Kind::offset_index:
        if (has_segment) check_offset_index(file.path, bytes, file.base_offset, segment, tally.damage);
        if (!has_segment) tally.damage.push_back({file.path, 0, "there is no log that it is the index of"});
        break;
      case LogFile::Kind::time_index:
        if (has_segment) check_time_index(file.path, bytes, file.base_offset, segment, tally.damage);
        break;
      case LogFile::Kind::transaction_index:
        check_transaction_index(file.path, bytes, tally.damage);
        break;
      case LogFile::Kind::producer_snapshot:
        check_producer_snapshot(file.path, bytes, tally.damage);
        break;
      case LogFile::Kind::text:
        if (is_checkpoint(file.path)) check_text_checkpoint(file.path, as_text(bytes), tally.damage);
        break;
    }
    ++tally.files;
    tally.bytes += bytes.size();
    if (progress.is_due())
      progress.show(
          fmt::format("{} files, {}: {}", count_text(tally.files), size_text(tally.bytes), file.path));
  }
}

// A single index needs the segment beside it.
std::vector<LogFile> with_segment(std::vector<LogFile> files) {
  if (files.size() != 1 ||
      (files[0].kind != LogFile::Kind::offset_index && files[0].kind != LogFile::Kind::time_index))
    return files;
  const std::filesystem::path segment = std::filesystem::path(files[0].path).replace_extension(".log");
  if (auto file = log_file_of(segment.string()); file && std::filesystem::exists(segment))
    files.insert(files.begin(), *file);
  return files;
}

ExitCode verify(const Context& context, const std::vector<std::string>& paths) {
  Tally tally;
  Progress progress(!context.is_json);
  for (const std::string& path : paths) {
    auto found = find_log_files(path);
    if (!found) {
      complain(context, found.error(),
               "Give a segment, an index, a partition's folder or a whole log directory");
      return ExitCode::usage;
    }
    if (found->empty()) {
      complain(context, fmt::format("there are no log files in {}", path),
               "Give the directory that log.dirs names, or one of its folders");
      return ExitCode::usage;
    }
    std::map<std::string, std::vector<LogFile>> folders;
    for (LogFile& file : with_segment(std::move(*found)))
      folders[std::filesystem::path(file.path).parent_path().string()].push_back(std::move(file));
    for (const auto& [folder, files] : folders) check_folder(files, tally, progress);
  }
  progress.clear();
  if (context.is_json) {
    boost::json::array damage;
    for (const Damage& one : tally.damage)
      damage.push_back(
          boost::json::object{{"file", one.path}, {"position", one.position}, {"what", one.what}});
    print_json(boost::json::object{{"files", tally.files},
                                   {"segments", tally.segments},
                                   {"batches", tally.batches},
                                   {"records", tally.records},
                                   {"bytes", tally.bytes},
                                   {"damage", std::move(damage)}});
  } else {
    for (const Damage& one : tally.damage)
      print(fmt::format("{}:{}: {}\n", one.path, one.position, one.what));
    print(fmt::format("Checked {} files ({}): {} segments, {} batches, {} records. ", count_text(tally.files),
                      size_text(tally.bytes), count_text(tally.segments), count_text(tally.batches),
                      count_text(tally.records)));
    print(tally.damage.empty() ? std::string("No damage.\n")
                               : fmt::format("{} place{} damaged.\n", tally.damage.size(),
                                             tally.damage.size() == 1 ? " is" : "s are"));
  }
  return tally.damage.empty() ? ExitCode::ok : ExitCode::damaged;
}

}  // namespace

void add_log_verify(Command log, Context& context) {
  auto paths = std::make_shared<std::vector<std::string>>();
  Command command =
      log.add_command("verify", "Check files, partitions or whole log directories; exit code 4 if damaged");
  command.add_option("path", *paths, "A file, a partition's folder or a log directory; several may be given")
      .required();
  command.runs([paths, &context] { return verify(context, *paths); });
}

}  // namespace moldau::cli
