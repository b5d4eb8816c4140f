#include "cli/misread.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace moldau::cli {

namespace {

// The innermost command that was being read.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// "moldau topic create".
std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

// The first word behind the command's name that is no option.
std::string word_after(const CLI::App& command, const std::vector<std::string>& words) {
  auto at = command.get_parent() == nullptr ? words.begin() : std::ranges::find(words, command.get_name());
  if (at != words.end())
    at = std::find_if(at + 1, words.end(), [](const auto& word) { return !word.starts_with('-'); });
  return at == words.end() ? "" : *at;
}

std::string without_command(const CLI::App& command, const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const CLI::App* one : command.get_subcommands({})) names.push_back(one->get_name());
  const std::string word = word_after(command, words);
  return fmt::format("{}; there are {}",
                     word.empty() ? fmt::format("{} needs a command", path_of(command))
                                  : fmt::format("there is no command '{} {}'", path_of(command), word),
                     fmt::join(names, ", "));
}

// The first word that nothing took.
std::string unexpected(const CLI::App& command, const std::vector<std::string>& words) {
  const CLI::App* root = &command;
  while (root->get_parent() != nullptr) root = root->get_parent();
  const std::vector<std::string> left = root->remaining(true);
  const auto first = std::ranges::find_if(words, [&left](const auto& word) { return std::ranges::find(left, word) != left.end(); });
  const std::string word = first == words.end() ? "" : *first;
  if (word.starts_with('-') && word.size() > 1) return fmt::format("{} has no option {}", path_of(command), word.substr(0, word.find('=')));
  return fmt::format("{} does not know what to do with '{}'", path_of(command), word);
}

// "--count: Value -1 not in range 0.000000 to 17976...": what is wrong, without bounds that nobody would read.
std::string out_of_range(const std::string& said) {
  constexpr std::string_view before_value = ": Value ";
  constexpr std::string_view before_range = " not in range ";
  const size_t value = said.find(before_value);
  const size_t range = said.find(before_range);
  if (value == std::string::npos || range == std::string::npos) return said;
  const std::string name = said.substr(0, value);
  const std::string given = said.substr(value + before_value.size(), range - value - before_value.size());
  const std::string bounds = said.substr(range + before_range.size());
  double number = 0;
  if (!CLI::detail::lexical_cast(given, number)) return fmt::format("{}: '{}' is no number", name, given);
  if (bounds.size() > 40) return fmt::format("{}: {} is too little", name, given);
  return fmt::format("{}: {} is not in the range {}", name, given, bounds);
}

// What CLI11 says, in the words of who wrote the line.
std::string message_of(const CLI::ParseError& error, const CLI::App& command, const std::vector<std::string>& words) {
  const std::string said = error.what();
  const std::string name = said.substr(0, said.find(':'));
  switch (static_cast<CLI::ExitCodes>(error.get_exit_code())) {
    case CLI::ExitCodes::RequiredError:
      if (!command.get_subcommands({}).empty()) return without_command(command, words);
      return fmt::format("{}: {} is missing", path_of(command), said.substr(0, said.find(" is required")));
    case CLI::ExitCodes::ExtrasError:
      return unexpected(command, words);
    case CLI::ExitCodes::ArgumentMismatch:
      return said.find("At Most") == std::string::npos ? fmt::format("{} needs a value", name) : fmt::format("{} is given more than once", name);
    case CLI::ExitCodes::ConversionError:
      if (constexpr std::string_view start = "Could not convert: "; said.starts_with(start)) {
        const size_t equals = said.find(" = ");
        return fmt::format("{}: '{}' is no number", said.substr(start.size(), equals - start.size()), said.substr(equals + 3));
      }
      return said;
    case CLI::ExitCodes::ValidationError:
      return out_of_range(said);
    default:
      return said;
  }
}

}  // namespace

Misread misread_of(const CLI::ParseError& error, const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App& command = innermost(app);
  return {.message = message_of(error, command, words), .command = path_of(command)};
}

}  // namespace moldau::cli
