#include "metadata/finalized_levels.h"

namespace moldau::metadata {

FeatureLevels finalized_by(const MetadataRecords& records) {
  FeatureLevels levels;
  for (const MetadataRecord& record : records)
    if (const auto* feature = std::get_if<protocol::FeatureLevelRecord>(&record.message))
      if (feature->feature_level != 0) levels.insert_or_assign(feature->name, feature->feature_level);
  return levels;
}

}  // namespace moldau::metadata
