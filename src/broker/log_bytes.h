// Reading a log's bytes into memory, for those who look into the records: coordinators and the controller on load.
#pragma once

#include "base/bytes.h"
#include "storage/log.h"

namespace moldau::broker {

// Replaces `into` by bytes of the log from the batch that holds `from` on: at least that batch, at most `max_bytes`
// more or less; the last batch may be cut off. Empty at the log's end.
runtime::task<storage::log_result<>> read_log_bytes(storage::Log& log, Offset from, uint32_t max_bytes, Bytes& into);

}  // namespace moldau::broker
