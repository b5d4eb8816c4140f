#include "broker/log_bytes.h"

namespace moldau::broker {

runtime::task<storage::log_result<>> read_log_bytes(storage::Log& log, Offset from, uint32_t max_bytes, Bytes& into) {
  into.clear();
  MOLDAU_CO_TRY(const storage::ReadInfo read, co_await log.read(from, max_bytes, true, storage::ReadIsolation::log_end));
  if (!read.file) co_return storage::log_result<>{};
  into.resize(read.size_bytes);
  const auto got = co_await read.file->read_at(read.position, into);
  if (!got) co_return fail(storage::Error(got.error()));
  into.resize(*got);
  co_return storage::log_result<>{};
}

}  // namespace moldau::broker
