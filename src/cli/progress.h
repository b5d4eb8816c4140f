// A line on the terminal that says how far long work has come, rewritten in place; silent when standard error
// is no terminal, and for the first second.
#pragma once

#include <cstdint>
#include <string_view>

namespace moldau::cli {

class Progress {
 public:
  // `is_wanted` false (JSON, quiet) keeps it silent.
  explicit Progress(bool is_wanted);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Whether it is time to show something, five times a second at most: make the text only then.
  [[nodiscard]] bool is_due();
  void show(std::string_view text);
  void clear();                          // before anything else is written to the terminal
  [[nodiscard]] double seconds() const;  // since the start

 private:
  bool is_active_;
  bool is_shown_ = false;
  int64_t started_us_;
  int64_t shown_us_ = 0;
};

}  // namespace moldau::cli
