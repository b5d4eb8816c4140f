#include "raft/kafkas_metadata_for_test.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace moldau::raft {

std::string vector_file(const std::string& name) {
  std::ifstream in(std::string(MOLDAU_SOURCE_DIR) + "/tests/vectors/metadata/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

Snapshot snapshot_of(const std::string& name) {
  const std::string file = vector_file(name);
  auto snapshot = read_snapshot(as_bytes(file));
  EXPECT_TRUE(snapshot) << snapshot.error();
  return *snapshot;
}

}  // namespace moldau::raft
