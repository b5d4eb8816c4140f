// `moldau log salvage` and `moldau log repair-index`: what can be done for a damaged partition while no node uses it.
#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <memory>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/progress.h"
#include "cli/units.h"
#include "runtime/real/environment.h"
#include "storage/salvage.h"

namespace moldau::cli {

using runtime::task;
using storage::QuarantinedRange;

namespace {

std::string offsets_text(const QuarantinedRange& range) {
  if (range.end_offset == Offset(INT64_MAX)) return fmt::format("offsets from {} on", range.first_offset);
  if (range.end_offset - range.first_offset <= 1) return fmt::format("offset {}", range.first_offset);
  return fmt::format("offsets {} to {}", range.first_offset, range.end_offset - 1);
}

void print_damage(const std::vector<QuarantinedRange>& damage) {
  for (const QuarantinedRange& range : damage)
    print(fmt::format("{}:{}: {} in {} bytes cannot be read: {}\n", range.file, range.position, offsets_text(range),
                      range.size_bytes, range.reason));
}

boost::json::array damage_json(const std::vector<QuarantinedRange>& damage) {
  boost::json::array all;
  for (const QuarantinedRange& range : damage) {
    boost::json::object one{{"file", range.file},
                            {"position", range.position},
                            {"bytes", range.size_bytes},
                            {"first_offset", range.first_offset.value()},
                            {"what", range.reason}};
    if (range.end_offset == Offset(INT64_MAX))
      one["last_offset"] = nullptr;
    else
      one["last_offset"] = range.end_offset.value() - 1;
    all.push_back(std::move(one));
  }
  return all;
}

ExitCode refuse(const Context& context, const storage::Error& error) {
  const bool is_usage = error.code == protocol::ErrorCode::invalid_request;
  complain(context, error.message,
           is_usage ? "Give the folder of one partition, as TOPIC-0, and for --to a folder that does not exist"
                    : "Stop the node that uses it; may this user read and write there?");
  return is_usage ? ExitCode::usage : ExitCode::failed;
}

storage::SalvageProgress show_on(Progress& progress) {
  return [&progress](const std::string& file, uint64_t bytes) {
    if (progress.is_due()) progress.show(fmt::format("{}: {}", size_text(bytes), file));
  };
}

task<void> salvage(runtime::Environment& environment, const Context& context, std::string from, std::string to, ExitCode& code) {
  const auto lock = co_await storage::lock_of_partition(environment.files(), from);
  if (!lock) {
    code = refuse(context, lock.error());
    co_return;
  }
  Progress progress(!context.is_json);
  const auto salvaged = co_await storage::salvage_partition(environment, std::move(from), to, show_on(progress));
  progress.clear();
  if (!salvaged) {
    code = refuse(context, salvaged.error());
    co_return;
  }
  code = salvaged->left_out.empty() ? ExitCode::ok : ExitCode::damaged;
  if (context.is_json) {
    print_json(boost::json::object{{"to", to},
                                   {"segments", salvaged->segments},
                                   {"bytes", salvaged->bytes_copied},
                                   {"first_offset", salvaged->first_offset.value()},
                                   {"end_offset", salvaged->end_offset.value()},
                                   {"left_out", damage_json(salvaged->left_out)}});
    co_return;
  }
  print_damage(salvaged->left_out);
  print(fmt::format("Copied {} segments ({}) to {}, up to offset {}. {}\n", salvaged->segments, size_text(salvaged->bytes_copied), to,
                    salvaged->end_offset, salvaged->left_out.empty()
                                              ? "Nothing was left out."
                                              : fmt::format("Left out: {} place(s), listed above.", salvaged->left_out.size())));
}

task<void> repair(runtime::Environment& environment, const Context& context, std::string directory, ExitCode& code) {
  const auto lock = co_await storage::lock_of_partition(environment.files(), directory);
  if (!lock) {
    code = refuse(context, lock.error());
    co_return;
  }
  Progress progress(!context.is_json);
  const auto repaired = co_await storage::repair_indexes(environment, std::move(directory), show_on(progress));
  progress.clear();
  if (!repaired) {
    code = refuse(context, repaired.error());
    co_return;
  }
  code = repaired->repaired.empty() && repaired->damaged.empty() ? ExitCode::ok : ExitCode::damaged;
  if (context.is_json) {
    boost::json::array files;
    for (const storage::RepairedIndex& one : repaired->repaired)
      files.push_back(boost::json::object{{"file", one.file}, {"what", one.fault}});
    print_json(boost::json::object{
        {"segments", repaired->segments}, {"repaired", std::move(files)}, {"damage", damage_json(repaired->damaged)}});
    co_return;
  }
  for (const storage::RepairedIndex& one : repaired->repaired) print(fmt::format("{}: built again: {}\n", one.file, one.fault));
  print_damage(repaired->damaged);
  print(fmt::format("Checked the indexes of {} segments. {}\n", repaired->segments,
                    repaired->repaired.empty() ? std::string("All were right.")
                                               : fmt::format("{} were built again.", repaired->repaired.size())));
}

// So that what lies above it can be found.
std::string whole_path(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

// Runs `work` on a partition's folder that no node uses.
template <class Work>
ExitCode run_offline(const Context& context, const std::string& folder, Work work) {
  if (std::error_code ignored; !std::filesystem::is_directory(folder, ignored)) {
    complain(context, fmt::format("there is no folder {}", folder), "Give the folder of one partition, such as moldau-data/TOPIC-0");
    return ExitCode::usage;
  }
  set_log_level(LogLevel::off);  // what the storage would log is what the command prints
  ExitCode code = ExitCode::failed;
  const auto environment = runtime::make_real_environment({});
  environment->run([&] { return work(*environment, code); });
  return code;
}

}  // namespace

void add_log_salvage(Command log, Context& context) {
  struct Options {
    std::string from, to;
  };
  auto options = std::make_shared<Options>();
  Command command = log.add_command(
      "salvage", "Copy what is sound of a damaged partition to a new folder; exit code 4 if something had to be left out");
  command.add_option("partition", options->from, "The partition's folder, which is not changed").required();
  command.add_option("--to", options->to, "The folder to make").required();
  command.runs([options, &context] {
    return run_offline(context, options->from, [&](runtime::Environment& environment, ExitCode& code) {
      return salvage(environment, context, whole_path(options->from), whole_path(options->to), code);
    });
  });
}

void add_log_repair_index(Command log, Context& context) {
  auto directory = std::make_shared<std::string>();
  Command command = log.add_command(
      "repair-index", "Build the indexes of a partition again that do not fit its segments; exit code 4 if there were any");
  command.add_option("partition", *directory, "The partition's folder").required();
  command.runs([directory, &context] {
    return run_offline(context, *directory, [&](runtime::Environment& environment, ExitCode& code) {
      return repair(environment, context, whole_path(*directory), code);
    });
  });
}

}  // namespace moldau::cli
