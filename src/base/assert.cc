#include "base/assert.h"

#include <execinfo.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace moldau {

void assertion_failed(const char* expression, const char* file, int line, const char* why) {
  std::fprintf(stderr, "moldau: assertion failed: %s (%s:%d)%s%s\n", expression, file, line, why ? ": " : "",
               why ? why : "");
  void* frames[64];
  backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
  std::abort();
}

}  // namespace moldau
