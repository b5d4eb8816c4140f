// What the checks of golden vectors found: each failing case named as it happens, the rest counted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace moldau::vectors {

// A case that is left out on purpose: file and case, either may end in `*`, and why.
struct LeftOut {
  std::string file;
  std::string name;
  std::string reason;
};

// Lines of `FILE CASE REASON...`; # begins a comment. Exits with a message when the list cannot be read.
[[nodiscard]] std::vector<LeftOut> read_left_out(const std::string& path);

class Report {
 public:
  explicit Report(std::vector<LeftOut> left_out) : left_out_(std::move(left_out)) {}

  // `failure` is empty when the case passed.
  void add(std::string_view file, std::string_view name, std::string_view failure);
  // Whether all of the file is left out, so that it need not be read.
  [[nodiscard]] bool leaves_out(std::string_view file);
  // Prints what was left out, and the closing line. True when nothing failed.
  bool close() const;

 private:
  [[nodiscard]] const LeftOut* find_left_out(std::string_view file, std::string_view name) const;

  std::vector<LeftOut> left_out_;
  std::map<std::string, uint64_t> left_out_counts_;  // by reason
  uint64_t passed_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace moldau::vectors
