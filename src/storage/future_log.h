// The copy of a log on its way to another log directory (KIP-113: the future replica), step by step: bring it to a common
// history with the log that clients use (the current one), copy, and put it in that one's place.
//
// Free functions over two logs of the same partition and shard; who calls them, how often and how fast is the broker's
// business. Nothing here touches the current log but promote_future, which holds its changes back for the last bytes.
// docs/internals/directories.md says what a stop at each step leaves.
#pragma once

#include <functional>

#include "storage/log.h"

namespace moldau::storage {

// What a copy goes by until it is the current log: nothing leaves it but what has left the other, and it is flushed at the end.
[[nodiscard]] LogConfig future_log_config(LogConfig config);

// Takes back what the current log does not hold, so that copying can go on at the future log's end. To be called when a
// move begins or goes on after a start.
runtime::task<log_result<>> align_future(Log& current, Log& future);

// Copies batches as they are from the future log's end on, their checksums checked: at least one, of at most `max_bytes` if
// it is not larger. Gives the bytes copied; 0 if nothing is missing. `buffer` is the caller's, for use again.
runtime::task<log_result<uint64_t>> copy_to_future(Log& current, Log& future, uint32_t max_bytes, Bytes& buffer);

// Puts the future log in the current one's place: appends wait, the last bytes are copied, everything is put on stable
// storage, the directory takes the partition's name, the current log is closed to changes, and `swap` is called before
// those who waited go on. The current log's directory keeps its name, which is the caller's to change. False: so much was
// appended meanwhile that copying should go on first. After an error the current log is as it was.
runtime::task<log_result<bool>> promote_future(Log& current, Log& future, const std::function<void()>& swap);

// Whether `log` holds what `other` holds, as offsets and leader epochs tell (KIP-101). Log starts do not matter.
[[nodiscard]] bool holds_all_of(const Log& log, const Log& other);

// Of two logs under a partition's own name, as a stop in the middle of a swap leaves them: each holds all that was acknowledged until
// then, and only the one that is used since may hold more.
struct ChoiceOfTwo {
  bool takes_other = false;
  bool loses_records = false;  // the one that is left holds records, and the taken one not all of them; no stop leaves that
};
[[nodiscard]] ChoiceOfTwo choose_of_two(const Log& one, const Log& other, bool prefers_other);

}  // namespace moldau::storage
