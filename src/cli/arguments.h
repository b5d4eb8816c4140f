// What a command line may say: commands within commands, and each one's options, flags and positional words.
//
// A command declares its words and where their values go, and what it does; CommandLine reads the line into
// these and hands out the work of the command that was named. The values live as long as the work does, which
// is why commands share them with it. Command and Argument are handles: small, copied freely, and valid while
// their CommandLine is.
//
// CLI11 does the reading. Only arguments.cc and misread.cc include it, because it is all templates and inline
// methods, and each source that sees them takes ten seconds to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/exit_code.h"
#include "cli/misread.h"

namespace CLI {
class Option;
}

namespace moldau::cli {

// An option or a positional word, to say more about it.
class Argument {
 public:
  explicit Argument(CLI::Option& option) : option_(&option) {}

  Argument required();
  Argument shows_default();  // --help shows the value as it is at this call
  Argument from_environment(std::string_view variable);
  Argument not_negative();
  Argument positive();
  Argument between(int lowest, int highest);
  Argument one_of(std::vector<std::string> words);

  // Whether the line (or the environment) gives it; known once the line has been read.
  [[nodiscard]] bool is_given() const;

 private:
  CLI::Option* option_;
};

// What the command that was named does.
using Work = std::function<ExitCode()>;

class Command {
 public:
  Command(CLI::App& app, Work& chosen) : app_(&app), chosen_(&chosen) {}

  // A command that has commands needs one of them to be named.
  Command add_command(std::string_view name, std::string_view description);

  // `names` as in "-p,--partitions", or without dashes for a positional word. A list takes every word up to
  // the next option, and may be given again.
  Argument add_option(std::string_view names, std::string& value, std::string_view description);
  Argument add_option(std::string_view names, std::vector<std::string>& values, std::string_view description);
  Argument add_option(std::string_view names, int16_t& value, std::string_view description);
  Argument add_option(std::string_view names, int32_t& value, std::string_view description);
  Argument add_option(std::string_view names, int64_t& value, std::string_view description);
  Argument add_option(std::string_view names, double& value, std::string_view description);
  void add_flag(std::string_view names, bool& is_set, std::string_view description);

  void runs(Work work);

 private:
  CLI::App* app_;
  Work* chosen_;
};

// A program's words and what --help says of them. Options of the root may stand behind any command.
class CommandLine {
 public:
  struct Program {
    std::string name;
    std::string description;
    std::string version;  // what --version prints; no such option if empty
    std::string footer;   // the end of the program's --help
  };

  explicit CommandLine(const Program& program);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] Command root() { return {*app_, chosen_}; }

  // The work that the line asks for, or what is wrong with it. After --help and --version, which are answered
  // here, there is none: it is empty.
  [[nodiscard]] result<Work, Misread> read(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> app_;
  Work chosen_;
};

}  // namespace moldau::cli
