#include "metadata/loader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace moldau::metadata {

MetadataChanges merged(MetadataChanges first, const MetadataChanges& second) {
  for (const TopicPtr& topic : second.deleted_topics) {
    const auto change = first.topics.find(topic->id);
    const bool was_new = change != first.topics.end() && change->second.is_new;
    if (change != first.topics.end()) first.topics.erase(change);
    if (!was_new) first.deleted_topics.push_back(topic);
  }
  for (const auto& [id, change] : second.topics) {
    auto& into = first.topics[id];
    into.is_new = into.is_new || change.is_new;
    into.partitions.insert(change.partitions.begin(), change.partitions.end());
  }
  first.brokers.insert(second.brokers.begin(), second.brokers.end());
  first.configs.insert(second.configs.begin(), second.configs.end());
  first.features |= second.features;
  first.controllers |= second.controllers;
  first.client_quotas |= second.client_quotas;
  first.producer_ids |= second.producer_ids;
  first.acls |= second.acls;
  first.scram_credentials |= second.scram_credentials;
  first.delegation_tokens |= second.delegation_tokens;
  return first;
}

MetadataLoader::MetadataLoader() : MetadataLoader(std::make_shared<const MetadataImage>()) {}

MetadataLoader::MetadataLoader(MetadataImagePtr start) : image_(std::move(start)), settled_(image_) {}

void MetadataLoader::settle(Offset last_offset, LeaderEpoch epoch, int64_t timestamp_ms) {
  if (!delta_) delta_.emplace(settled_);
  settled_ = delta_->finish(last_offset, epoch, timestamp_ms);
  changes_ = merged(std::move(changes_), delta_->changes());
  delta_.reset();
}

result<std::optional<PublishedMetadata>, std::string> MetadataLoader::load(std::span<const MetadataRecord> records,
                                                                           Offset first_offset, LeaderEpoch epoch,
                                                                           int64_t timestamp_ms) {
  Offset offset = first_offset;
  for (const MetadataRecord& record : records) {
    if (std::holds_alternative<protocol::BeginTransactionRecord>(record.message)) {
      if (in_transaction_)
        return fail(fmt::format("a metadata transaction begins at offset {} inside another", offset));
      settle(offset - 1, epoch, timestamp_ms);
      in_transaction_ = true;
    } else if (std::holds_alternative<protocol::EndTransactionRecord>(record.message)) {
      if (!in_transaction_) return fail(fmt::format("a metadata transaction ends at offset {} without a begin", offset));
      in_transaction_ = false;
    } else if (std::holds_alternative<protocol::AbortTransactionRecord>(record.message)) {
      if (!in_transaction_)
        return fail(fmt::format("a metadata transaction is aborted at offset {} without a begin", offset));
      delta_.reset();
      in_transaction_ = false;
    } else {
      if (!delta_) delta_.emplace(settled_);
      if (auto applied = delta_->apply(record); !applied)
        return fail(fmt::format("the {} at offset {} cannot be replayed: {}", record_name(record), offset,
                                applied.error()));
    }
    ++offset;
  }
  if (in_transaction_) return std::nullopt;

  settle(offset - 1, epoch, timestamp_ms);
  if (kraft_version_ && settled_->kraft_version != *kraft_version_) {
    auto with_version = std::make_shared<MetadataImage>(*settled_);
    with_version->kraft_version = *kraft_version_;
    settled_ = std::move(with_version);
    changes_.features = true;
  }
  image_ = settled_;
  return PublishedMetadata{image_, std::exchange(changes_, {})};
}

result<MetadataImagePtr, std::string> image_of(std::span<const MetadataRecord> records, Offset last_offset,
                                               LeaderEpoch epoch, int64_t timestamp_ms) {
  MetadataDelta delta(std::make_shared<const MetadataImage>());
  for (size_t i = 0; i < records.size(); ++i) {
    if (auto applied = delta.apply(records[i]); !applied)
      return fail(fmt::format("the {} at place {} cannot be replayed: {}", record_name(records[i]), i,
                              applied.error()));
  }
  return delta.finish(last_offset, epoch, timestamp_ms);
}

}  // namespace moldau::metadata
