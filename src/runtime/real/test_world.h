// For the tests of runtime/real: runs a coroutine in an environment of its own, and a directory that goes with the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/real/environment.h"

namespace moldau::runtime::real {

// Calls `body(environment)`, which returns a task, on shard 0 and returns when the task has ended.
template <class Body>
void run_in_environment(int shards, Body body) {
  const auto environment = make_real_environment({.shards = shards});
  environment->run([&] { return body(*environment); });
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "moldau-test-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const char* name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace moldau::runtime::real
