#include "storage/newer_format.h"

namespace moldau::storage {

std::string about_newer_magic(int8_t magic) {
  return fmt::format("magic {}, where this release knows 0 to {}: a newer Apache Kafka has written it, if its bytes are right", magic, newest_magic);
}

std::string about_newer_batch(std::string_view file, const NewerBatch& batch) {
  return fmt::format("{} has at position {} a whole batch of offset {} and {}", file, batch.position, batch.offset, about_newer_magic(batch.magic));
}

Error newer_format_error(std::string_view file, const NewerBatch& batch) {
  return {protocol::ErrorCode::kafka_storage_error,
          fmt::format("{}. Nothing was cut, and the partition is not served. Start the release that wrote it on this directory; or delete the "
                      "topic; or stop this node, copy what can be read with `moldau log salvage`, and put that in the place of the partition's "
                      "directory",
                      about_newer_batch(file, batch))};
}

}  // namespace moldau::storage
