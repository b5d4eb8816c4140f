// What a newcomer is told who got the command line wrong: one line that names the word, and where to look.
#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace moldau::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int exit_code = 0;
  std::string said;
};

Outcome run(std::vector<const char*> words) {
  words.insert(words.begin(), "moldau");
  testing::internal::CaptureStderr();
  const int exit_code = run_command_line(static_cast<int>(words.size()), words.data());
  return {exit_code, testing::internal::GetCapturedStderr()};
}

void expect_usage(std::vector<const char*> words, const char* complaint) {
  const Outcome outcome = run(std::move(words));
  EXPECT_EQ(outcome.exit_code, 2) << complaint;
  EXPECT_THAT(outcome.said, StartsWith("moldau: " + std::string(complaint)));
}

TEST(CommandLine, NamesTheCommandsWhereOneIsMissingOrUnknown) {
  expect_usage({}, "moldau needs a command; there are server, topic,");
  expect_usage({"topics"}, "there is no command 'moldau topics'; there are server,");
  expect_usage({"topic"}, "moldau topic needs a command; there are create, list,");
  expect_usage({"group", "lag"}, "there is no command 'moldau group lag'; there are list,");
}

TEST(CommandLine, NamesWhatIsMissing) {
  expect_usage({"topic", "create"}, "moldau topic create: name is missing\n        See: moldau topic create --help\n");
  expect_usage({"produce"}, "moldau produce: topic is missing\n");
  expect_usage({"directory", "move", "t"}, "moldau directory move: partition is missing\n");
  expect_usage({"log", "salvage", "t-0"}, "moldau log salvage: --to is missing\n");
  expect_usage({"topic", "list", "-b"}, "--bootstrap-server needs a value\n");
  expect_usage({"topic", "create", "t", "--set"}, "--set needs a value\n");
}

TEST(CommandLine, NamesTheFirstWordThatItDoesNotKnow) {
  expect_usage({"topic", "create", "t", "--config", "retention.ms=5"}, "moldau topic create has no option --config\n");
  expect_usage({"topic", "create", "t", "--config=retention.ms=5"}, "moldau topic create has no option --config\n");
  expect_usage({"consume", "t", "-x"}, "moldau consume has no option -x\n");
  expect_usage({"topic", "create", "t", "u"}, "moldau topic create does not know what to do with 'u'\n");
}

TEST(CommandLine, SaysWhatIsWrongWithAValue) {
  expect_usage({"consume", "t", "--offset", "abc"}, "--offset: 'abc' is no number\n");
  expect_usage({"consume", "t", "--count", "-1"}, "--count: -1 is too little\n");
  expect_usage({"directory", "move", "t", "first", "/d"}, "partition: 'first' is no number\n");
  expect_usage({"topic", "create", "t", "-p", "0"}, "--partitions: 0 is not in the range 1 to 1000000\n");
  expect_usage({"topic", "create", "t", "-p", "many"}, "--partitions: 'many' is no number\n");
  expect_usage({"produce", "t", "--rate", "0"}, "--rate: 0 is too little\n");
  expect_usage({"log", "dump", "t-0", "--decode", "all"}, "--decode: 'all' is none of auto, metadata, groups, transactions, shares, none\n");
  expect_usage({"topic", "list", "-b", "a:1", "-b", "b:2"}, "--bootstrap-server is given more than once\n");
  expect_usage({"topic", "list", "--timeout", "soon"}, "'soon' is no time to wait\n        Write --timeout 30s, 500ms or 2m\n");
}

TEST(CommandLine, SaysHowTheAddressOfABrokerIsWritten) {
  expect_usage({"topic", "list", "-b", "http://127.0.0.1:9092"}, "'http://127.0.0.1:9092' is no address of a broker: it begins with http://\n"
                                                                 "        Write --bootstrap-server 127.0.0.1:9092\n");
  for (const char* wrong : {"host:", ":9092", "host:99999", "host:kafka", "::1:9092"})
    expect_usage({"topic", "list", "-b", wrong}, ("'" + std::string(wrong) + "' is no address of a broker\n        Write --bootstrap-server host:port").c_str());
  expect_usage({"topic", "list", "-b", ""}, "no broker is named\n");
}

TEST(CommandLine, NamesAFolderThatIsNotThere) {
  for (const std::vector<const char*>& words : {std::vector<const char*>{"log", "salvage", "/nowhere/t-0", "--to", "/nowhere/u-0"},
                                               std::vector<const char*>{"log", "repair-index", "/nowhere/t-0"}})
    expect_usage(words, "there is no folder /nowhere/t-0\n");
  expect_usage({"log", "dump", "/nowhere/t-0"}, "there is no file or directory /nowhere/t-0\n");
  expect_usage({"log", "verify", "/nowhere/t-0"}, "there is no file or directory /nowhere/t-0\n");
}

TEST(CommandLine, IsOneLineOfJsonOnDemand) {
  const Outcome outcome = run({"--json", "topic", "create"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.said, HasSubstr("\"message\":\"moldau topic create: name is missing\""));
}

}  // namespace
}  // namespace moldau::cli
