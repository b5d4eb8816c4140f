// storage::Error: what a log answers when it cannot do what it was asked: Kafka's code, a sentence for people, and for a
// refused batch which of its records were at fault.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/result.h"
#include "protocol/error_code.h"
#include "runtime/io_error.h"

namespace moldau::storage {

struct RecordError {
  int32_t batch_index = 0;  // of the record within its batch
  std::string message;
  friend bool operator==(const RecordError&, const RecordError&) = default;
};

struct Error {
  Error(protocol::ErrorCode with_code, std::string with_message, std::vector<RecordError> with_record_errors = {})
      : code(with_code), message(std::move(with_message)), record_errors(std::move(with_record_errors)) {}
  // A disk that fails is kafka_storage_error to whoever asked; implicit, so that MOLDAU_CO_TRY hands it on.
  Error(const runtime::IoError& io)  // NOLINT(google-explicit-constructor)
      : code(protocol::ErrorCode::kafka_storage_error), message(io.message()), io_error_number(io.error_number) {}

  protocol::ErrorCode code;
  std::string message;
  std::vector<RecordError> record_errors;
  int io_error_number = 0;  // the errno value behind it; 0: no disk is to blame
};

template <class T = void>
using log_result = result<T, Error>;

}  // namespace moldau::storage
