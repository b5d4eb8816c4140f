// Command lines as a program of two commands declares them.
#include "cli/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace moldau::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A program `p` with an option of its own, and the commands `copy` and `list all`.
class Arguments : public ::testing::Test {
 protected:
  Arguments() {
    Command root = line.root();
    root.add_option("-a,--at", at, "Where").from_environment("MOLDAU_TEST_AT").shows_default();
    Command copy = root.add_command("copy", "Copy files");
    copy.add_option("from", from, "The files").required();
    const Argument limit = copy.add_option("-n,--limit", limit_bytes, "At most").not_negative();
    copy.add_option("--how", how, "In which way").one_of({"slow", "fast"}).shows_default();
    copy.add_option("--parts", parts, "How many").between(1, 9);
    copy.add_option("--rate", rate, "How fast").positive();
    copy.add_flag("-v,--verbose", is_verbose, "Say more");
    copy.runs([this, limit] {
      is_limit_given = limit.is_given();
      return ExitCode::ok;
    });
    root.add_command("list", "List things").add_command("all", "All of them").runs([] {
      return ExitCode::damaged;
    });
  }

  result<Work, Misread> read(std::vector<const char*> words) {
    words.insert(words.begin(), "p");
    return line.read(static_cast<int>(words.size()), words.data());
  }

  CommandLine line{{.name = "p", .description = "A program.", .version = "p 1.2", .footer = "The end."}};
  std::string at = "here";
  std::vector<std::string> from;
  int64_t limit_bytes = -1;
  std::string how = "slow";
  int32_t parts = 1;
  double rate = 0;
  bool is_verbose = false;
  std::optional<bool> is_limit_given;
};

TEST_F(Arguments, GiveTheWorkOfTheCommandThatWasNamedWithoutDoingIt) {
  const auto work = read({"copy", "x", "y", "-n", "0", "--how=fast", "--parts", "9", "--rate", "0.5", "-v"});
  ASSERT_TRUE(work);
  EXPECT_FALSE(is_limit_given);
  EXPECT_EQ((*work)(), ExitCode::ok);
  EXPECT_EQ(is_limit_given, true);
  EXPECT_THAT(from, ElementsAre("x", "y"));
  EXPECT_EQ(limit_bytes, 0);
  EXPECT_EQ(how, "fast");
  EXPECT_EQ(parts, 9);
  EXPECT_EQ(rate, 0.5);
  EXPECT_TRUE(is_verbose);
}

TEST_F(Arguments, KnowAnOptionThatWasNotGiven) {
  const auto work = read({"copy", "x"});
  ASSERT_TRUE(work);
  EXPECT_EQ((*work)(), ExitCode::ok);
  EXPECT_EQ(is_limit_given, false);
  EXPECT_EQ(how, "slow");
}

TEST_F(Arguments, TakeTheProgramsOptionsBehindAnyCommand) {
  const auto work = read({"list", "all", "--at", "there"});
  ASSERT_TRUE(work);
  EXPECT_EQ((*work)(), ExitCode::damaged);
  EXPECT_EQ(at, "there");
}

TEST_F(Arguments, TakeFromTheEnvironmentWhatTheLineDoesNotGive) {
  ::setenv("MOLDAU_TEST_AT", "outside", 1);
  EXPECT_TRUE(read({"list", "all"}));
  EXPECT_EQ(at, "outside");
  EXPECT_TRUE(read({"list", "all", "-a", "there"}));
  EXPECT_EQ(at, "there");
  ::unsetenv("MOLDAU_TEST_AT");
}

TEST_F(Arguments, SayWhichCommandWasMisread) {
  const auto expect = [this](std::vector<const char*> words, const char* message, const char* command) {
    const auto work = read(std::move(words));
    ASSERT_FALSE(work);
    EXPECT_EQ(work.error().message, message);
    EXPECT_EQ(work.error().command, command);
  };
  expect({}, "p needs a command; there are copy, list", "p");
  expect({"list"}, "p list needs a command; there are all", "p list");
  expect({"copy"}, "p copy: from is missing", "p copy");
  expect({"list", "all", "x"}, "p list all does not know what to do with 'x'", "p list all");
  expect({"copy", "x", "-n", "-1"}, "--limit: -1 is too little", "p copy");
  expect({"copy", "x", "--parts", "10"}, "--parts: 10 is not in the range 1 to 9", "p copy");
  expect({"copy", "x", "--rate", "0"}, "--rate: 0 is too little", "p copy");
  expect({"copy", "x", "--how", "soon"}, "--how: 'soon' is none of slow, fast", "p copy");
}

TEST_F(Arguments, AnswerHelpAndVersionAndLeaveNoWork) {
  for (const auto& [word, said] : {std::pair{"--help", "-a,--at TEXT=here (Env:MOLDAU_TEST_AT)"},
                                   {"--help", "The end."},
                                   {"--version", "p 1.2\n"}}) {
    testing::internal::CaptureStdout();
    const auto work = read({word});
    EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr(said));
    ASSERT_TRUE(work);
    EXPECT_FALSE(*work);
  }
  EXPECT_THAT(from, IsEmpty());
}

}  // namespace
}  // namespace moldau::cli
