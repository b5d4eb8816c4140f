#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metadata/loader.h"
#include "metadata/records_for_test.h"
#include "metadata/snapshot_records.h"

namespace moldau::metadata {
namespace {

// Emits records that an orderly controller could have written.
class RandomLog {
 public:
  explicit RandomLog(uint64_t seed) : random_(seed) {}

  MetadataRecord next() {
    switch (random_() % 13) {
      case 0:
      case 1: {
        const int64_t number = ++topics_made_;
        topics_.push_back({id_of(number), fmt::format("t{}", number), 0});
        return topic_record(topics_.back().name, topics_.back().id);
      }
      case 2:
      case 3:
        if (KnownTopic* topic = any_topic()) return new_partition_record(topic->id, topic->partitions++, pick(1, 3));
        break;
      case 4:
      case 5:
        if (KnownTopic* topic = any_topic(); topic != nullptr && topic->partitions > 0) {
          protocol::PartitionChangeRecord change;
          change.topic_id = topic->id;
          change.partition_id = pick(0, topic->partitions - 1);
          if (random_() % 2 == 0) change.leader = pick(-1, 3);
          if (random_() % 2 == 0) change.isr = {{pick(1, 3)}};
          if (random_() % 3 == 0) change.eligible_leader_replicas = {{pick(1, 3)}};
          if (random_() % 3 == 0) change.last_known_elr = std::vector<int32_t>{};
          if (random_() % 5 == 0) change.leader_recovery_state = static_cast<int8_t>(random_() % 2);
          if (random_() % 5 == 0) {
            change.replicas = {{3, pick(1, 2)}};
            change.directories = {{id_of(103), id_of(101)}};
          }
          return {change, 2};
        }
        break;
      case 6:
        if (!topics_.empty() && random_() % 2 == 0) {
          const size_t at = random_() % topics_.size();
          const Uuid id = topics_[at].id;
          topics_.erase(topics_.begin() + static_cast<std::ptrdiff_t>(at));
          return remove_record(id);
        }
        break;
      case 7: {
        const KnownTopic* topic = any_topic();
        const bool of_topic = topic != nullptr && random_() % 2 == 0;
        const bool sets = random_() % 3 != 0;
        return config_record(of_topic ? ResourceType::topic : ResourceType::broker, of_topic ? topic->name : "",
                             fmt::format("key{}", random_() % 4),
                             sets ? std::optional(fmt::format("{}", random_() % 100)) : std::nullopt);
      }
      case 8: return register_record(pick(1, 3), static_cast<int64_t>(++epochs_));
      case 9: {
        protocol::ClientQuotaRecord record;
        record.entity.push_back({"user", random_() % 2 == 0 ? std::optional<std::string>("u") : std::nullopt, {}});
        record.key = fmt::format("k{}", random_() % 2);
        record.value = static_cast<double>(random_() % 9);
        record.remove = random_() % 3 == 0;
        return {record, 0};
      }
      case 10: {
        protocol::ProducerIdsRecord record;
        record.next_producer_id = producer_ids_ += 1000;
        return {record, 0};
      }
      case 11: {
        protocol::UserScramCredentialRecord record;
        record.name = fmt::format("u{}", random_() % 3);
        record.mechanism = static_cast<int8_t>(pick(1, 2));
        record.salt = to_bytes("salt");
        record.iterations = pick(4096, 5000);
        return {record, 0};
      }
      case 12: {
        protocol::DelegationTokenRecord record;
        record.token_id = fmt::format("token{}", random_() % 3);
        record.owner = "User:o";
        record.renewers = {"User:r"};
        record.expiration_timestamp = pick(1, 1000);
        return {record, 0};
      }
      default: break;
    }
    if (random_() % 2 == 0) {
      protocol::AccessControlEntryRecord record;
      record.id = id_of(static_cast<int64_t>(++acls_) + 5000);
      record.principal = "User:a";
      record.operation = 3;
      return {record, 0};
    }
    return feature_record("group.version", static_cast<int16_t>(random_() % 2));
  }

 private:
  struct KnownTopic {
    Uuid id;
    std::string name;
    int32_t partitions = 0;
  };
  KnownTopic* any_topic() { return topics_.empty() ? nullptr : &topics_[random_() % topics_.size()]; }
  int32_t pick(int32_t least, int32_t most) {
    return least + static_cast<int32_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }

  std::mt19937_64 random_;
  std::vector<KnownTopic> topics_;
  int64_t topics_made_ = 0;
  int64_t producer_ids_ = 0;
  uint64_t epochs_ = 0;
  uint64_t acls_ = 0;
};

TEST(RandomLog, AnyCutGivesTheSameImageFromASnapshotAndTheTailAsFromTheWholeLog) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    RandomLog log(seed);
    MetadataRecords records{feature_record("metadata.version", latest_metadata_version)};
    for (int i = 0; i < 400; ++i) records.push_back(log.next());
    std::mt19937_64 random(seed);
    const size_t cut = random() % records.size();
    const std::span<const MetadataRecord> all = records;

    MetadataLoader whole;
    for (size_t at = 0; at < all.size();) {
      const size_t size = std::min<size_t>(1 + random() % 20, all.size() - at);
      const auto published = whole.load(all.subspan(at, size), Offset(static_cast<int64_t>(at)), LeaderEpoch(1), 0);
      ASSERT_TRUE(published) << published.error();
      at += size;
    }

    // Through bytes, as a snapshot file would carry them.
    MetadataRecords snapshot;
    for (const MetadataRecord& record :
         snapshot_records(*image_with(MetadataRecords(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(cut)))))
      snapshot.push_back(decode_record(encode_record(record)).value());
    MetadataLoader continued(image_with(snapshot));
    const auto published = continued.load(all.subspan(cut), Offset(static_cast<int64_t>(cut)), LeaderEpoch(1), 0);
    ASSERT_TRUE(published) << published.error();
    EXPECT_TRUE(same_content(*whole.image(), *continued.image())) << "seed " << seed << " cut " << cut;
  }
}

TEST(RandomLog, TheChangesNameEveryTopicThatDiffers) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    RandomLog log(seed);
    MetadataLoader loader;
    int64_t offset = 0;
    for (int round = 0; round < 40; ++round) {
      const MetadataImagePtr before = loader.image();
      MetadataRecords records;
      for (int i = 0; i < 10; ++i) records.push_back(log.next());
      const auto published = loader.load(records, Offset(offset), LeaderEpoch(1), 0);
      ASSERT_TRUE(published && *published) << published.error();
      offset += 10;
      const auto& [image, changes] = **published;
      for (const auto& [id, topic] : image->topics_by_id) {
        const Topic* old = before->find_topic(id);
        const auto change = changes.topics.find(id);
        EXPECT_EQ(old == nullptr, change != changes.topics.end() && change->second.is_new);
        for (const Partition& partition : topic->partitions) {
          const Partition* was = old == nullptr ? nullptr : old->find(partition.index);
          if (was != nullptr && *was == partition) continue;
          ASSERT_NE(change, changes.topics.end());
          EXPECT_TRUE(change->second.partitions.contains(partition.index));
        }
      }
      size_t gone = 0;
      for (const auto& [id, topic] : before->topics_by_id) gone += image->find_topic(id) == nullptr ? 1 : 0;
      EXPECT_EQ(gone, changes.deleted_topics.size());
    }
  }
}

}  // namespace
}  // namespace moldau::metadata
