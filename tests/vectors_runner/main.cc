// check_vectors DIR: see docs in tests/vectors_runner/README.md.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "vectors_runner/kinds.h"
#include "vectors_runner/report.h"

namespace {

using moldau::vectors::Kind;

const Kind* kind_of(std::string_view file) {
  for (const Kind& kind : moldau::vectors::kinds())
    if (kind.file.ends_with('/') ? file.starts_with(kind.file) : file == kind.file) return &kind;
  return nullptr;
}

// Paths below `directory` of all its files, in order.
std::vector<std::string> files_of(const std::filesystem::path& directory) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(directory).string());
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    fmt::print(stderr, "usage: check_vectors DIR\n");
    return 2;
  }
  const std::filesystem::path directory = argv[1];
  moldau::vectors::Report report(moldau::vectors::read_left_out(MOLDAU_LEFT_OUT_LIST));
  for (const std::string& file : files_of(directory)) {
    if (report.leaves_out(file)) continue;
    if (const Kind* kind = kind_of(file)) {
      kind->check(directory / file, file, report);
    } else {
      report.add(file, "*", "no check knows this file");
    }
  }
  return report.close() ? 0 : 1;
}
