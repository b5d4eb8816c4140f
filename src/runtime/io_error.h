// What went wrong with a file or a connection: the operation, what it was on, and the system's error number.
#pragma once

#include <string>

#include "base/result.h"

namespace moldau::runtime {

struct IoError {
  int error_number = 0;   // an errno value: ENOSPC, EIO, ENOENT, ECONNRESET, ECANCELED (closed on this side), ...
  std::string operation;  // "open", "write", "fsync", "connect", ...
  std::string subject;    // path or address

  // "cannot fsync /data/t-0/x.log: Input/output error"
  [[nodiscard]] std::string message() const;
  friend bool operator==(const IoError&, const IoError&) = default;
};

template <class T = void>
using io_result = result<T, IoError>;

}  // namespace moldau::runtime
