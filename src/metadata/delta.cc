#include "metadata/delta.h"

#include <utility>

#include "base/assert.h"

namespace moldau::metadata {

MetadataDelta::MetadataDelta(MetadataImagePtr base) {
  MOLDAU_ASSERT(base != nullptr);
  image_ = *base;
}

result<void, std::string> MetadataDelta::apply(const MetadataRecord& record) {
  return std::visit([this](const auto& message) { return replay(message); }, record.message);
}

MetadataImagePtr MetadataDelta::finish(Offset last_offset, LeaderEpoch epoch, int64_t timestamp_ms) {
  flush_open_topics();
  image_.offset = last_offset;
  image_.epoch = epoch;
  image_.timestamp_ms = timestamp_ms;
  return std::make_shared<const MetadataImage>(image_);
}

}  // namespace moldau::metadata
