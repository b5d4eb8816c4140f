#include "vectors_runner/report.h"

#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace moldau::vectors {

namespace {

bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.ends_with('*')) return text.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == text;
}

}  // namespace

std::vector<LeftOut> read_left_out(const std::string& path) {
  std::ifstream in(path);
  if (!in) {
    fmt::print(stderr, "error: cannot read the list of cases that are left out: {}\n", path);
    std::exit(2);
  }
  std::vector<LeftOut> list;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    LeftOut& one = list.emplace_back();
    std::istringstream words(line);
    words >> one.file >> one.name >> std::ws;
    std::getline(words, one.reason);
  }
  return list;
}

const LeftOut* Report::find_left_out(std::string_view file, std::string_view name) const {
  for (const LeftOut& one : left_out_)
    if (matches(one.file, file) && matches(one.name, name)) return &one;
  return nullptr;
}

void Report::add(std::string_view file, std::string_view name, std::string_view failure) {
  if (const LeftOut* left_out = find_left_out(file, name)) {
    ++left_out_counts_[left_out->reason];
  } else if (failure.empty()) {
    ++passed_;
  } else {
    ++failed_;
    fmt::print("FAILED {} {}: {}\n", file, name, failure);
  }
}

bool Report::leaves_out(std::string_view file) {
  const LeftOut* left_out = find_left_out(file, "");
  if (left_out == nullptr) return false;
  ++left_out_counts_[left_out->reason];
  return true;
}

bool Report::close() const {
  for (const auto& [reason, count] : left_out_counts_) fmt::print("left out ({}): {}\n", count, reason);
  fmt::print("{} passed, {} failed\n", passed_, failed_);
  return failed_ == 0;
}

}  // namespace moldau::vectors
