// Which feature levels a list of records finalizes, before any of them is written: a bootstrap that this release cannot
// serve is refused while the directory is still as it was.
#pragma once

#include "metadata/features.h"
#include "metadata/metadata_record.h"

namespace moldau::metadata {

// The levels after these records on an empty log; level 0 is left out, as in an image.
[[nodiscard]] FeatureLevels finalized_by(const MetadataRecords& records);

}  // namespace moldau::metadata
