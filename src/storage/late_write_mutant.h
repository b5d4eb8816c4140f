// What the mutant "ack-before-append" does in the place of a write: the bytes follow 20 ms later, if the process lives.
// Nothing else uses it.
#pragma once

#include <span>
#include <utility>

#include "base/log.h"
#include "runtime/file.h"
#include "runtime/scope.h"
#include "runtime/shard.h"

namespace moldau::storage {

inline runtime::task<> write_after_a_while(runtime::FilePtr file, uint64_t position, Bytes bytes) {
  co_await runtime::sleep_ms(20);
  const ByteView parts[] = {bytes};
  if (const auto written = co_await file->write_at(position, parts); !written) log_warning("{}", written.error().message());
}

inline void write_late(runtime::FilePtr file, uint64_t position, std::span<const ByteView> parts) {
  static auto* const late = new runtime::Scope;
  Bytes bytes;
  for (const ByteView part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  late->spawn(write_after_a_while(std::move(file), position, std::move(bytes)));
}

}  // namespace moldau::storage
