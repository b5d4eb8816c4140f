#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metadata/loader.h"
#include "metadata/snapshot_records.h"
#include "metadata/topic_name.h"

namespace moldau::metadata {
namespace {

Uuid id_of(int64_t number) { return {number * 7919, number}; }

MetadataRecord topic_record(const std::string& name, const Uuid& id) {
  protocol::TopicRecord record;
  record.name = name;
  record.topic_id = id;
  return {record, 0};
}
MetadataRecord new_partition_record(const Uuid& topic, int32_t index, int32_t leader = 1) {
  Partition partition;
  partition.index = index;
  partition.replicas = {1, 2, 3};
  partition.directories = {id_of(101), id_of(102), id_of(103)};
  partition.isr = {1, 2, 3};
  partition.leader = leader;
  partition.leader_epoch = 0;
  partition.partition_epoch = 0;
  return partition_record(topic, partition, *find_metadata_version(latest_metadata_version));
}
MetadataRecord remove_record(const Uuid& id) {
  protocol::RemoveTopicRecord record;
  record.topic_id = id;
  return {record, 0};
}
MetadataRecord config_record(ResourceType type, std::string name, std::string key, std::optional<std::string> value) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<int8_t>(type);
  record.resource_name = std::move(name);
  record.name = std::move(key);
  record.value = std::move(value);
  return {record, 0};
}
MetadataRecord feature_record(std::string name, int16_t level) {
  protocol::FeatureLevelRecord record;
  record.name = std::move(name);
  record.feature_level = level;
  return {record, 0};
}
MetadataRecord register_record(int32_t id, int64_t epoch) {
  Broker broker;
  broker.id = id;
  broker.epoch = epoch;
  broker.incarnation_id = id_of(1000 + epoch);
  broker.endpoints = {{"PLAINTEXT", fmt::format("host{}", id), 9092, 0}};
  broker.features["metadata.version"] = {7, 30};
  broker.log_dirs = {id_of(100 + id)};
  return broker_record(broker, *find_metadata_version(latest_metadata_version));
}

MetadataImagePtr image_with(const MetadataRecords& records) {
  auto image = image_of(records, Offset(static_cast<int64_t>(records.size()) - 1), LeaderEpoch(1), 0);
  EXPECT_TRUE(image) << image.error();
  return *image;
}
std::string error_of(const MetadataRecords& records) {
  const auto image = image_of(records, Offset(0), LeaderEpoch(1), 0);
  return image ? std::string() : image.error();
}

// --- records --------------------------------------------------------------------------------------------------------

TEST(MetadataRecord, ATypeOrVersionOfANewerKafkaIsRefusedByName) {
  const auto unknown_type = decode_record(from_hex("012a00"));
  ASSERT_FALSE(unknown_type);
  EXPECT_NE(unknown_type.error().find("type 42"), std::string::npos) << unknown_type.error();
  const auto unknown_version = decode_record(from_hex("010209"));
  ASSERT_FALSE(unknown_version);
  EXPECT_NE(unknown_version.error().find("TopicRecord has version 9"), std::string::npos) << unknown_version.error();
  EXPECT_FALSE(decode_record(from_hex("020200")));
  EXPECT_FALSE(decode_record(from_hex("01")));
  EXPECT_FALSE(decode_record({}));
}

TEST(MetadataRecord, CutOffOrTrailedByBytesItIsRefused) {
  const Bytes whole = encode_record(register_record(1, 5));
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode_record(ByteView(whole).first(size))) << size;
  Bytes longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_record(longer));
}

// --- replay ---------------------------------------------------------------------------------------------------------

TEST(Replay, ATopicsLifeIsToldToTheBroker) {
  MetadataLoader loader;
  const Uuid id = id_of(1);
  auto published = loader.load(
      MetadataRecords{topic_record("t", id), config_record(ResourceType::topic, "t", "retention.ms", "1"),
                      new_partition_record(id, 0), new_partition_record(id, 1)},
      Offset(0), LeaderEpoch(1), 10);
  ASSERT_TRUE(published && *published);
  EXPECT_TRUE((*published)->changes.topics.at(id).is_new);
  EXPECT_EQ((*published)->changes.topics.at(id).partitions, (std::set<int32_t>{0, 1}));
  EXPECT_EQ((*published)->image->offset, Offset(3));
  EXPECT_EQ((*published)->image->partition_count, 2U);
  const MetadataImagePtr before = (*published)->image;

  protocol::PartitionChangeRecord change;
  change.topic_id = id;
  change.partition_id = 1;
  change.leader = 2;
  change.isr = {{2, 3}};
  published = loader.load(MetadataRecords{{change, 2}}, Offset(4), LeaderEpoch(1), 11);
  EXPECT_FALSE((*published)->changes.topics.at(id).is_new);
  EXPECT_EQ((*published)->changes.topics.at(id).partitions, std::set<int32_t>{1});
  const Partition& partition = (*published)->image->find_topic("t")->partitions.at(1);
  EXPECT_EQ(partition.leader, 2);
  EXPECT_EQ(partition.leader_epoch, 1);
  EXPECT_EQ(partition.partition_epoch, 1);
  EXPECT_EQ(before->find_topic("t")->partitions.at(1).leader, 1) << "an image never changes";

  published = loader.load(MetadataRecords{remove_record(id)}, Offset(5), LeaderEpoch(1), 12);
  ASSERT_EQ((*published)->changes.deleted_topics.size(), 1U);
  EXPECT_EQ((*published)->changes.deleted_topics.front()->partitions.at(1).leader, 2);
  EXPECT_TRUE((*published)->changes.topics.empty());
  EXPECT_TRUE((*published)->changes.configs.contains({ResourceType::topic, "t"}));
  EXPECT_TRUE((*published)->image->configs.empty()) << "a topic's settings go with it";
  EXPECT_EQ((*published)->image->partition_count, 0U);
}

TEST(Replay, ATopicMadeAndRemovedInOneBatchWasNeverThere) {
  MetadataLoader loader;
  const Uuid id = id_of(1);
  const auto published = loader.load(MetadataRecords{topic_record("t", id), new_partition_record(id, 0), remove_record(id)},
                                     Offset(0), LeaderEpoch(1), 10);
  EXPECT_TRUE((*published)->changes.topics.empty());
  EXPECT_TRUE((*published)->changes.deleted_topics.empty());
  EXPECT_TRUE((*published)->image->topics_by_name.empty());
}

TEST(Replay, ARecordThatContradictsTheImageIsAnError) {
  const Uuid id = id_of(1);
  protocol::PartitionChangeRecord change;
  change.topic_id = id;
  protocol::BrokerRegistrationChangeRecord unfence;
  unfence.broker_id = 1;
  unfence.broker_epoch = 4;
  unfence.fenced = -1;
  EXPECT_NE(error_of({new_partition_record(id, 0)}), "");
  EXPECT_NE(error_of({topic_record("t", id), {change, 2}}), "");
  EXPECT_NE(error_of({topic_record("t", id), topic_record("u", id)}), "");
  EXPECT_NE(error_of({topic_record("t", id), topic_record("t", id_of(2))}), "");
  EXPECT_NE(error_of({remove_record(id)}), "");
  EXPECT_NE(error_of({{unfence, 0}}), "");
  EXPECT_NE(error_of({register_record(1, 3), {unfence, 0}}), "") << "another epoch";
  EXPECT_EQ(error_of({register_record(1, 4), {unfence, 0}}), "");
}

TEST(Replay, ATransactionAppearsAtItsEndOrNever) {
  MetadataLoader loader;
  const MetadataRecord begin{protocol::BeginTransactionRecord{}, 0};
  const MetadataRecord end{protocol::EndTransactionRecord{}, 0};
  const MetadataRecord abort{protocol::AbortTransactionRecord{}, 0};
  auto published = loader.load(MetadataRecords{topic_record("before", id_of(1)), begin, topic_record("in", id_of(2))},
                               Offset(0), LeaderEpoch(1), 0);
  ASSERT_TRUE(published);
  EXPECT_FALSE(*published);
  EXPECT_TRUE(loader.is_in_transaction());
  published = loader.load(MetadataRecords{new_partition_record(id_of(2), 0), end, topic_record("after", id_of(3))},
                          Offset(3), LeaderEpoch(1), 0);
  ASSERT_TRUE(published && *published);
  EXPECT_EQ((*published)->image->topics_by_name.size(), 3U);
  EXPECT_EQ((*published)->changes.topics.size(), 3U);

  published = loader.load(MetadataRecords{begin, remove_record(id_of(2)), topic_record("lost", id_of(4))}, Offset(6),
                          LeaderEpoch(1), 0);
  EXPECT_FALSE(*published);
  published = loader.load(MetadataRecords{abort}, Offset(9), LeaderEpoch(2), 0);
  ASSERT_TRUE(published && *published);
  EXPECT_TRUE((*published)->changes.empty());
  EXPECT_EQ((*published)->image->topics_by_name.size(), 3U);
  EXPECT_NE((*published)->image->find_topic("in"), nullptr);
  EXPECT_EQ((*published)->image->offset, Offset(9));

  EXPECT_FALSE(loader.load(MetadataRecords{end}, Offset(10), LeaderEpoch(2), 0)) << "nothing to end";
}

TEST(Replay, ClearingEligibleLeadersTouchesOnlyWhoHasSome) {
  const Uuid id = id_of(1);
  protocol::PartitionChangeRecord change;
  change.topic_id = id;
  change.partition_id = 1;
  change.isr = std::vector<int32_t>{};
  change.eligible_leader_replicas = {{1, 2}};
  change.last_known_elr = {{1}};
  protocol::ClearElrRecord all;
  for (const std::string name : {"", "t"}) {
    all.topic_name = name;
    const auto image = image_with({topic_record("t", id), new_partition_record(id, 0), new_partition_record(id, 1),
                                   {change, 2}, {all, 0}});
    const Topic& topic = *image->find_topic(id);
    EXPECT_EQ(topic.partitions.at(0).partition_epoch, 0);
    EXPECT_EQ(topic.partitions.at(1).partition_epoch, 2);
    EXPECT_TRUE(topic.partitions.at(1).eligible_leader_replicas.empty());
    EXPECT_TRUE(topic.partitions.at(1).last_known_elr.empty());
  }
}

TEST(Replay, AChangeToOneTopicOfManySharesTheRest) {
  MetadataRecords records;
  for (int64_t i = 0; i < 10'000; ++i) {
    records.push_back(topic_record(fmt::format("topic-{}", i), id_of(i + 1)));
    records.push_back(new_partition_record(id_of(i + 1), 0));
  }
  MetadataLoader loader(image_with(records));
  const MetadataImagePtr before = loader.image();
  ASSERT_TRUE(loader.load(MetadataRecords{new_partition_record(id_of(77), 1)}, Offset(20'000), LeaderEpoch(1), 0));
  size_t shared = 0;
  for (const auto& [id, topic] : loader.image()->topics_by_id) shared += *before->topics_by_id.find(id) == topic ? 1 : 0;
  EXPECT_EQ(shared, 9'999U);
  EXPECT_EQ(loader.image()->partition_count, 10'001U);
}

// --- a random log ---------------------------------------------------------------------------------------------------

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

// --- names ----------------------------------------------------------------------------------------------------------

TEST(TopicNames, TheRulesAreKafkas) {
  for (const auto* good : {"a", "A", "0", "-", "_", "...", "a.b", "__consumer_offsets"})
    EXPECT_FALSE(topic_name_problem(good)) << good;
  EXPECT_FALSE(topic_name_problem(std::string(249, 'x')));
  for (const auto* bad : {"", ".", "..", "a b", "a/b", "a\tb", "ž", "a:b"}) EXPECT_TRUE(topic_name_problem(bad)) << bad;
  EXPECT_TRUE(topic_name_problem(std::string(250, 'x')));
  EXPECT_TRUE(topic_name_problem(std::string_view("a\0b", 3)));
}

TEST(TopicNames, DotAndUnderscoreCollide) {
  const auto image = image_with({topic_record("a.b_c", id_of(1)), topic_record("a-b", id_of(2)), topic_record("a", id_of(3))});
  EXPECT_EQ(colliding_topic(*image, "a_b.c"), "a.b_c");
  EXPECT_EQ(colliding_topic(*image, "a.b.c"), "a.b_c");
  EXPECT_FALSE(colliding_topic(*image, "a.b_c")) << "itself";
  EXPECT_FALSE(colliding_topic(*image, "a.b"));
  EXPECT_FALSE(colliding_topic(*image, "a"));
}

}  // namespace
}  // namespace moldau::metadata
