// From one image to the next: records are applied one after the other, and what they touched is noted for those who
// must act on it (create a log, drop a leader, take over a setting).
//
// Replay is the only thing that changes metadata, in the controller and in the broker alike. A record that contradicts
// the image (a partition of a topic that is not there) is an error: the log is damaged or not understood, and going on
// would spread it. A delta belongs to one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "metadata/image.h"
#include "metadata/metadata_record.h"

namespace moldau::metadata {

struct MetadataChanges {
  struct TopicChange {
    bool is_new = false;
    std::set<int32_t> partitions;  // created or changed; all of them if the topic is new
  };
  std::map<Uuid, TopicChange> topics;      // as they are in the new image
  std::vector<TopicPtr> deleted_topics;    // as they were in the old image
  std::set<int32_t> brokers;               // registered, changed or gone
  std::set<ConfigResource> configs;        // a deleted topic's among them
  bool features = false;
  bool controllers = false;
  bool client_quotas = false;
  bool producer_ids = false;
  bool acls = false;
  bool scram_credentials = false;
  bool delegation_tokens = false;

  [[nodiscard]] bool empty() const {
    return topics.empty() && deleted_topics.empty() && brokers.empty() && configs.empty() && !features &&
           !controllers && !client_quotas && !producer_ids && !acls && !scram_credentials && !delegation_tokens;
  }
};

class MetadataDelta {
 public:
  explicit MetadataDelta(MetadataImagePtr base);

  // The error is a sentence. The delta is of no use after one. Transaction records are no concern of a delta: see
  // loader.h.
  [[nodiscard]] result<void, std::string> apply(const MetadataRecord& record);

  [[nodiscard]] const MetadataChanges& changes() const { return changes_; }
  // The image with everything applied so far; offset, epoch and timestamp are those of the last record in it.
  [[nodiscard]] MetadataImagePtr finish(Offset last_offset, LeaderEpoch epoch, int64_t timestamp_ms);

 private:
  using Outcome = result<void, std::string>;
  Outcome replay(const protocol::RegisterBrokerRecord&);
  Outcome replay(const protocol::UnregisterBrokerRecord&);
  Outcome replay(const protocol::TopicRecord&);
  Outcome replay(const protocol::PartitionRecord&);
  Outcome replay(const protocol::ConfigRecord&);
  Outcome replay(const protocol::PartitionChangeRecord&);
  Outcome replay(const protocol::FenceBrokerRecord&);
  Outcome replay(const protocol::UnfenceBrokerRecord&);
  Outcome replay(const protocol::RemoveTopicRecord&);
  Outcome replay(const protocol::DelegationTokenRecord&);
  Outcome replay(const protocol::UserScramCredentialRecord&);
  Outcome replay(const protocol::FeatureLevelRecord&);
  Outcome replay(const protocol::ClientQuotaRecord&);
  Outcome replay(const protocol::ProducerIdsRecord&);
  Outcome replay(const protocol::BrokerRegistrationChangeRecord&);
  Outcome replay(const protocol::AccessControlEntryRecord&);
  Outcome replay(const protocol::RemoveAccessControlEntryRecord&);
  Outcome replay(const protocol::NoOpRecord&);
  Outcome replay(const protocol::ZkMigrationStateRecord&);
  Outcome replay(const protocol::RemoveUserScramCredentialRecord&);
  Outcome replay(const protocol::BeginTransactionRecord&);
  Outcome replay(const protocol::EndTransactionRecord&);
  Outcome replay(const protocol::AbortTransactionRecord&);
  Outcome replay(const protocol::RemoveDelegationTokenRecord&);
  Outcome replay(const protocol::RegisterControllerRecord&);
  Outcome replay(const protocol::ClearElrRecord&);

  Topic* open_topic(const Uuid& id);
  void clear_elr(Topic& topic);
  Outcome change_broker(int32_t id, int64_t epoch, const std::function<void(Broker&)>& change);
  void flush_open_topics();

  MetadataImage image_;
  MetadataChanges changes_;
  std::map<Uuid, std::shared_ptr<Topic>> open_topics_;  // copies that this delta may write
  std::map<Uuid, TopicPtr> original_topics_;            // as they were when first opened
};

// What a PartitionChangeRecord makes of a partition.
[[nodiscard]] Partition with_change(const Partition& partition, const protocol::PartitionChangeRecord& change);

}  // namespace moldau::metadata
