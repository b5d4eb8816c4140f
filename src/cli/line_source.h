// LineSource: the lines of standard input (or any descriptor), read by a thread of its own so that a shard
// that waits for the next one still takes its answers. At most a few chunks are read ahead.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "cli/session.h"

namespace moldau::cli {

class LineSource {
 public:
  // `stop` is notified whenever something has come; both outlive the environment's run.
  LineSource(int descriptor, StopRequest& stop);
  ~LineSource();

  // The next line without its end; null at the end of input or when asked to stop. A last line needs no line
  // end.
  task<std::optional<std::string>> next();

 private:
  struct Shared;
  static void read_all(std::shared_ptr<Shared> shared, int descriptor, int wake_descriptor);

  StopRequest& stop_;
  std::shared_ptr<Shared> shared_;
  std::string buffer_;
  size_t start_ = 0;    // of what is not given out yet
  size_t scanned_ = 0;  // up to here there is no line end
  int wake_[2] = {-1, -1};
  std::thread thread_;
};

}  // namespace moldau::cli
