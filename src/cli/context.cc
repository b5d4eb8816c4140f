#include "cli/context.h"

#include <fmt/core.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "cli/table.h"
#include "protocol/error_code.h"

namespace moldau::cli {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const boost::json::value& v) {
  print(boost::json::serialize(v));
  print("\n");
}

namespace {

std::string_view kind_name(client::Error::Kind kind) {
  using Kind = client::Error::Kind;
  switch (kind) {
    case Kind::cannot_connect:
      return "cannot_connect";
    case Kind::disconnected:
      return "disconnected";
    case Kind::timed_out:
      return "timed_out";
    case Kind::malformed:
      return "malformed";
    case Kind::unsupported:
      return "unsupported";
    case Kind::server:
      return "server";
    case Kind::invalid:
      return "invalid";
  }
  return "unknown";
}

void say(const Context& context, std::string_view message, std::string_view advice,
         boost::json::object json) {
  std::fflush(stdout);
  if (context.is_json) {
    json["message"] = message;
    if (!advice.empty()) json["advice"] = advice;
    fmt::print(stderr, "{}\n", boost::json::serialize(boost::json::object{{"error", std::move(json)}}));
    return;
  }
  fmt::print(stderr, "moldau: {}\n", printable(message));
  if (!advice.empty()) fmt::print(stderr, "        {}\n", printable(advice));
}

}  // namespace

void complain(const Context& context, const client::Error& error) {
  boost::json::object json{{"kind", kind_name(error.kind)}};
  if (error.code != protocol::ErrorCode::none) {
    json["code"] = static_cast<int>(error.code);
    json["name"] = protocol::error_name(error.code);
  }
  say(context, error.message, error.advice, std::move(json));
}

void complain(const Context& context, std::string_view message, std::string_view advice) {
  say(context, message, advice, {{"kind", "invalid"}});
}

ExitCode fail_with(const Context& context, const client::Error& error) {
  complain(context, error);
  return exit_code_of(error);
}

bool is_output_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool is_error_terminal() { return ::isatty(STDERR_FILENO) == 1; }

bool confirm(bool is_sure, std::string_view question) {
  if (is_sure || ::isatty(STDIN_FILENO) != 1 || !is_error_terminal()) return true;
  fmt::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace moldau::cli
