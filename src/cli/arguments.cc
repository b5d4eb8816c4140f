#include "cli/arguments.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

namespace moldau::cli {

Argument Argument::required() {
  option_->required();
  return *this;
}

Argument Argument::shows_default() {
  option_->capture_default_str();
  return *this;
}

Argument Argument::from_environment(std::string_view variable) {
  option_->envname(std::string(variable));
  return *this;
}

Argument Argument::not_negative() {
  option_->check(CLI::NonNegativeNumber);
  return *this;
}

Argument Argument::positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Argument Argument::between(int lowest, int highest) {
  option_->check(CLI::Range(lowest, highest));
  return *this;
}

Argument Argument::one_of(std::vector<std::string> words) {
  option_->check([words = std::move(words)](const std::string& given) {
    if (std::ranges::find(words, given) != words.end()) return std::string();
    return fmt::format("'{}' is none of {}", given, fmt::join(words, ", "));
  });
  return *this;
}

bool Argument::is_given() const { return option_->count() > 0; }

Command Command::add_command(std::string_view name, std::string_view description) {
  app_->require_subcommand(1);
  CLI::App* command = app_->add_subcommand(std::string(name), std::string(description));
  command->fallthrough();
  return {*command, *chosen_};
}

namespace {

template <class Value>
Argument add(CLI::App& app, std::string_view names, Value& value, std::string_view description) {
  return Argument(*app.add_option(std::string(names), value, std::string(description)));
}

}  // namespace

Argument Command::add_option(std::string_view names, std::string& value, std::string_view description) {
  return add(*app_, names, value, description);
}

Argument Command::add_option(std::string_view names, std::vector<std::string>& values,
                             std::string_view description) {
  return add(*app_, names, values, description);
}

Argument Command::add_option(std::string_view names, int16_t& value, std::string_view description) {
  return add(*app_, names, value, description);
}

Argument Command::add_option(std::string_view names, int32_t& value, std::string_view description) {
  return add(*app_, names, value, description);
}

Argument Command::add_option(std::string_view names, int64_t& value, std::string_view description) {
  return add(*app_, names, value, description);
}

Argument Command::add_option(std::string_view names, double& value, std::string_view description) {
  return add(*app_, names, value, description);
}

void Command::add_flag(std::string_view names, bool& is_set, std::string_view description) {
  app_->add_flag(std::string(names), is_set, std::string(description));
}

void Command::runs(Work work) {
  app_->callback([work = std::move(work), chosen = chosen_] { *chosen = work; });
}

CommandLine::CommandLine(const Program& program)
    : app_(std::make_unique<CLI::App>(program.description, program.name)) {
  if (!program.version.empty()) app_->set_version_flag("--version", program.version);
  app_->footer(program.footer);
}

CommandLine::~CommandLine() = default;

result<Work, Misread> CommandLine::read(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::Success))
      return fail(misread_of(error, *app_, {argv, argv + argc}));
    app_->exit(error);  // prints what --help or --version asks for
    return Work();
  }
  return chosen_;
}

}  // namespace moldau::cli
