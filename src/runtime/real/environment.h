// The real world behind Environment: one thread with an epoll loop for each shard, a small pool of I/O threads, Linux
// files and TCP sockets.
//
// The program makes one, gives it its main task and lives inside run(). Mutexes, threads and clocks exist only here.
// SIGPIPE is ignored from then on, for sendfile cannot be told not to raise it.
#pragma once

#include <functional>
#include <memory>

#include "runtime/environment.h"

namespace moldau::runtime {

struct RealOptions {
  int shards = 1;
  bool pin = false;    // bind shard i to the i-th CPU that this process may use
  int io_threads = 8;  // at most; they start when first needed
  // Called on shard 0 with SIGTERM or SIGINT, each time one comes. If empty, the signals keep their usual effect.
  std::function<void(int signal)> on_signal;
};

class RealEnvironment : public Environment {
 public:
  // Calls `main` on shard 0 (the calling thread becomes that shard), runs until its task has finished, then stops
  // everything and returns. When it finishes, main has ended all that it started: connections, listeners, scopes.
  // Once in an environment's life.
  virtual void run(std::move_only_function<task<void>()> main) = 0;
};

[[nodiscard]] std::unique_ptr<RealEnvironment> make_real_environment(RealOptions options);

}  // namespace moldau::runtime
