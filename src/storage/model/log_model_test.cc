// A log and a list in lockstep through everything that a log lives through. Same seed, same story.
//
// MOLDAU_LOG_MODEL=SEED, or FIRST..LAST, tells these stories instead, longer ones: tests/model/run.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>

#include "base/log.h"
#include "base/sanitizer.h"
#include "storage/model/log_story_for_test.h"

namespace moldau::storage::test {
namespace {

struct Seeds {
  uint64_t first = 1;
  uint64_t last = rounds_for_test(60);
};

Seeds seeds_to_tell() {
  const char* const wanted = std::getenv("MOLDAU_LOG_MODEL");
  if (wanted == nullptr) return {};
  const std::string_view text(wanted);
  Seeds seeds;
  const auto first = std::from_chars(text.begin(), text.end(), seeds.first);
  seeds.last = seeds.first;
  if (text.substr(first.ptr - text.begin()).starts_with("..")) std::from_chars(first.ptr + 2, text.end(), seeds.last);
  return seeds;
}

TEST(LogModel, ALogIsAListOfBatches) {
  const LogLevel level = log_level();
  set_log_level(LogLevel::off);
  const auto [first, last] = seeds_to_tell();
  int steps = 0;
  for (uint64_t seed = first; seed <= last && !testing::Test::HasFailure(); ++seed) {
    LogStory story(seed);
    story.live(400);
    steps += story.steps();
  }
  RecordProperty("steps", steps);
  fmt::print("{} steps of {} stories\n", steps, last - first + 1);
  set_log_level(level);
}

}  // namespace
}  // namespace moldau::storage::test
