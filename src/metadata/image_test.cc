#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metadata/loader.h"
#include "metadata/records_for_test.h"
#include "metadata/topic_name.h"

namespace moldau::metadata {
namespace {

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
