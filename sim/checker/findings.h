// Where the checks of one run put what they find.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checker/checker.h"

namespace moldau::sim {

class Findings {
 public:
  explicit Findings(size_t limit) : limit_(limit) {}

  template <class... Args>
  void add(Anomaly anomaly, fmt::format_string<Args...> format, Args&&... args) {
    if (counts_[anomaly]++ < limit_) found_.push_back({anomaly, fmt::format(format, std::forward<Args>(args)...)});
  }
  [[nodiscard]] std::vector<Finding> take() { return std::move(found_); }

 private:
  size_t limit_;
  std::map<Anomaly, size_t> counts_;
  std::vector<Finding> found_;
};

}  // namespace moldau::sim
