// For tests: the metadata directories that Apache Kafka wrote (tests/vectors/metadata), and ids of directories.
#pragma once

#include <string>

#include "base/uuid.h"
#include "raft/snapshot_file.h"

namespace moldau::raft {

std::string vector_file(const std::string& name);
Snapshot snapshot_of(const std::string& name);

inline constexpr auto first_checkpoint = "00000000000000000000-0000000000.checkpoint";
inline constexpr auto first_segment = "00000000000000000000.log";

inline Uuid id(std::string_view text) { return Uuid::parse(text).value(); }
inline constexpr auto one = "AAAAAAAAAAEAAAAAAAAAAQ";
inline constexpr auto two = "AAAAAAAAAAIAAAAAAAAAAg";

}  // namespace moldau::raft
