// Tells damage in the middle of a log from the torn end that a crash leaves, without changing anything.
//
// For the metadata log, whose every batch is on stable storage before the next is written: of such a log only the last
// batch can be torn. Where whole batches follow one that cannot be read, somebody lost what was committed, and recovery, which
// cuts there, would give up the rest as well. For whoever is about to open the log. docs/internals/metadata.md.
#pragma once

#include <string>

#include "runtime/file.h"
#include "storage/error.h"

namespace moldau::storage {

// Reads all segments in `directory`; corrupt_message names file, position, what is wrong, and what to do.
[[nodiscard]] runtime::task<log_result<>> check_for_damage(runtime::FileSystem& files, std::string directory);

}  // namespace moldau::storage
