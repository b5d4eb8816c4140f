// Follows the metadata log: takes whole batches in order and publishes an image after each, except inside a metadata
// transaction (KIP-868), whose records appear all at once at its end or never.
//
// The owner feeds it committed batches or, in the controller, batches as they are appended. One thread.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "metadata/delta.h"
#include "metadata/image.h"
#include "metadata/metadata_record.h"

namespace moldau::metadata {

struct PublishedMetadata {
  MetadataImagePtr image;
  MetadataChanges changes;  // since the image published before
};

class MetadataLoader {
 public:
  MetadataLoader();
  // Continues from an image (of a snapshot).
  explicit MetadataLoader(MetadataImagePtr start);

  // `first_offset` is that of the first record; they follow without gaps. Null while a transaction is open. The error is
  // a sentence that names the record; the loader is of no use after one.
  [[nodiscard]] result<std::optional<PublishedMetadata>, std::string> load(std::span<const MetadataRecord> records,
                                                                           Offset first_offset, LeaderEpoch epoch,
                                                                           int64_t timestamp_ms);

  // kraft.version is finalized by a control record, which raft reads; the next image has it.
  void set_kraft_version(int16_t level) { kraft_version_ = level; }

  // The last published image; an empty one before the first batch.
  [[nodiscard]] const MetadataImagePtr& image() const { return image_; }
  [[nodiscard]] bool is_in_transaction() const { return in_transaction_; }

 private:
  void settle(Offset last_offset, LeaderEpoch epoch, int64_t timestamp_ms);

  MetadataImagePtr image_;      // as published
  MetadataImagePtr settled_;    // with what is certain but not yet published: before an open transaction
  MetadataChanges changes_;     // from image_ to settled_
  std::optional<MetadataDelta> delta_;  // on settled_
  bool in_transaction_ = false;
  std::optional<int16_t> kraft_version_;
};

// What `first` and then `second` did, as one.
[[nodiscard]] MetadataChanges merged(MetadataChanges first, const MetadataChanges& second);

// A whole list of records as an image: a snapshot, or a log from its first record.
[[nodiscard]] result<MetadataImagePtr, std::string> image_of(std::span<const MetadataRecord> records,
                                                             Offset last_offset, LeaderEpoch epoch,
                                                             int64_t timestamp_ms);

}  // namespace moldau::metadata
