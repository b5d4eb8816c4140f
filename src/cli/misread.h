// What is wrong with a command line, in the words of who wrote it: CLI11's own would speak of types and of
// bounds that nobody asked for.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace moldau::cli {

struct Misread {
  std::string message;  // names the word or the argument that is wrong
  std::string command;  // the innermost command that was being read, such as "moldau topic create"
};

// From what reading `words`, the program's name first, with `app` threw.
[[nodiscard]] Misread misread_of(const CLI::ParseError& error, const CLI::App& app,
                                 const std::vector<std::string>& words);

}  // namespace moldau::cli
