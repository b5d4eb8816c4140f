// The kinds of golden vectors, one source each. A new kind is a new source with a function of this shape, and
// a line in kinds.cc.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "vectors_runner/report.h"

namespace moldau::vectors {

// Checks one file. `file` is its path below the directory of vectors, by which cases are reported.
using CheckFile = void (*)(const std::filesystem::path& path, std::string_view file, Report& report);

struct Kind {
  std::string_view file;  // the path below the directory; one that ends in / takes all of a folder
  CheckFile check;
};

// The first whose `file` fits is the one.
[[nodiscard]] std::span<const Kind> kinds();

void check_messages(const std::filesystem::path& path, std::string_view file, Report& report);
void check_batches(const std::filesystem::path& path, std::string_view file, Report& report);
void check_logs(const std::filesystem::path& path, std::string_view file, Report& report);
void check_framing(const std::filesystem::path& path, std::string_view file, Report& report);
void check_murmur2(const std::filesystem::path& path, std::string_view file, Report& report);
void check_checksums(const std::filesystem::path& path, std::string_view file, Report& report);
void check_uuids(const std::filesystem::path& path, std::string_view file, Report& report);
void check_varints(const std::filesystem::path& path, std::string_view file, Report& report);
void check_topic_names(const std::filesystem::path& path, std::string_view file, Report& report);
void check_coordinator_partitions(const std::filesystem::path& path, std::string_view file, Report& report);
void check_share_partitions(const std::filesystem::path& path, std::string_view file, Report& report);
void check_errors(const std::filesystem::path& path, std::string_view file, Report& report);
void check_api_keys(const std::filesystem::path& path, std::string_view file, Report& report);
void check_api_versions(const std::filesystem::path& path, std::string_view file, Report& report);
void check_config_keys(const std::filesystem::path& path, std::string_view file, Report& report);

}  // namespace moldau::vectors
