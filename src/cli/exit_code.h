// What the `moldau` command says to the shell. Documented in --help; scripts rely on the numbers.
#pragma once

#include "client/error.h"

namespace moldau::cli {

enum class ExitCode : int {
  ok = 0,
  failed = 1,          // the operation was refused or went wrong
  usage = 2,           // the command line is wrong; nothing was done
  cannot_connect = 3,  // no broker could be reached
  damaged = 4,         // log verify found damage
  timed_out = 5,       // no answer in time, or nothing (more) to consume before --idle-ms
  interrupted = 130,   // SIGINT or SIGTERM before the work was done
};

[[nodiscard]] inline ExitCode exit_code_of(const client::Error& error) {
  switch (error.kind) {
    case client::Error::Kind::cannot_connect:
      return ExitCode::cannot_connect;
    case client::Error::Kind::timed_out:
      return ExitCode::timed_out;
    case client::Error::Kind::invalid:
      return ExitCode::usage;
    default:
      return ExitCode::failed;
  }
}

}  // namespace moldau::cli
