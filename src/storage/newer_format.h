// A whole batch in a form that this release does not know (a magic of 3 to 9): a newer release of Apache Kafka has written it. It
// must not be taken for the torn end of a log, for cutting there would lose records that are whole.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "storage/error.h"

namespace moldau::storage {

inline constexpr int8_t newest_magic = 2;
// It rises by one in ten years: what says more than this is what a power cut left of a batch.
inline constexpr int8_t newest_credible_magic = 9;

struct NewerBatch {
  uint64_t position = 0;
  Offset offset;  // as its first eight bytes say, which they do in every form there ever was
  int8_t magic = 0;
};

// For what is said of damage: "magic 3, which ...".
[[nodiscard]] std::string about_newer_magic(int8_t magic);
[[nodiscard]] std::string about_newer_batch(std::string_view file, const NewerBatch& batch);
// Why the log in `file` is not opened, and what to do.
[[nodiscard]] Error newer_format_error(std::string_view file, const NewerBatch& batch);

}  // namespace moldau::storage
