// Logs and snapshots that Apache Kafka 4.3.1 wrote, against what clients saw of that node (tests/vectors/metadata).
#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metadata/loader.h"
#include "metadata/snapshot_records.h"
#include "protocol/record_batch.h"

namespace moldau::metadata {
namespace {

std::string vector_file(const std::string& name) {
  std::ifstream in(std::string(MOLDAU_SOURCE_DIR) + "/tests/vectors/metadata/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Batch {
  Offset base_offset;
  LeaderEpoch epoch;
  int64_t timestamp_ms = 0;
  std::vector<Bytes> values;
};

// Data batches of a log or snapshot.
std::vector<Batch> batches_of(const std::string& file) {
  std::vector<Batch> batches;
  protocol::BatchCursor cursor(as_bytes(file));
  while (true) {
    const auto next = cursor.next();
    EXPECT_TRUE(next);
    if (!next || !*next) break;
    protocol::RecordIterator records((*next)->bytes);
    if (records.header().is_control()) continue;
    Batch batch{records.header().base_offset, records.header().leader_epoch, records.header().max_timestamp_ms, {}};
    while (true) {
      const auto record = records.next();
      EXPECT_TRUE(record);
      if (!record || *record == nullptr) break;
      batch.values.push_back(to_bytes((*record)->value.value()));
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

MetadataRecords decoded(const std::vector<Bytes>& values) {
  MetadataRecords records;
  for (const Bytes& value : values) {
    auto record = decode_record(value);
    EXPECT_TRUE(record) << record.error();
    if (record) records.push_back(std::move(*record));
  }
  return records;
}

// The log up to `end`, which must be the start of a batch.
MetadataImagePtr replayed(const std::string& directory, Offset end = Offset(INT64_MAX)) {
  MetadataLoader loader;
  loader.set_kraft_version(1);
  for (const Batch& batch : batches_of(vector_file(directory + "/00000000000000000000.log"))) {
    if (batch.base_offset >= end) break;
    const auto published = loader.load(decoded(batch.values), batch.base_offset, batch.epoch, batch.timestamp_ms);
    EXPECT_TRUE(published) << published.error();
  }
  return loader.image();
}

std::string list(const std::vector<int32_t>& ids) { return fmt::format("[{}]", fmt::join(ids, ",")); }

// In the words of expected.txt.
std::string told(const MetadataImage& image) {
  std::vector<std::string> lines;
  for (const auto& [name, level] : image.features) lines.push_back(fmt::format("feature {} {}", name, level));
  lines.push_back(fmt::format("feature kraft.version {}", image.feature_level("kraft.version")));
  for (const auto& [name, topic] : image.topics_by_name) {
    lines.push_back(fmt::format("topic {} {} {}", name, topic->id, topic->partitions.size()));
    for (const Partition& one : topic->partitions)
      lines.push_back(fmt::format("partition {}-{} leader {} replicas {} isr {} elr {}", name, one.index, one.leader,
                                  list(one.replicas), list(one.isr), list(one.eligible_leader_replicas)));
  }
  for (const auto& [resource, configs] : image.configs)
    for (const auto& [key, value] : *configs)
      lines.push_back(fmt::format("config {} {} {}={}", static_cast<int>(resource.type), resource.name, key, value));
  for (const auto& [id, acl] : image.acls)
    lines.push_back(fmt::format("acl {} {} {} {} {} {} {}", acl.resource_type, acl.resource_name, acl.pattern_type,
                                acl.principal, acl.host, acl.operation, acl.permission_type));
  for (const auto& [key, credential] : image.scram_credentials)
    lines.push_back(fmt::format("scram {} {} {}", key.user, key.mechanism, credential.iterations));
  for (const auto& [entity, quotas] : image.client_quotas) {
    std::string parts;
    for (const auto& [type, name] : entity)
      parts += fmt::format("{}{}={}", parts.empty() ? "" : ",", type, name.value_or("<default>"));
    for (const auto& [key, value] : quotas) lines.push_back(fmt::format("quota {} {}={:g}", parts, key, value));
  }
  std::ranges::sort(lines);
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

TEST(KafkasMetadataLog, RecordsAreWrittenAgainByteForByte) {
  for (const std::string file : {"clean/00000000000000000000.log", "killed/00000000000000000000.log",
                                 "restarted/00000000000000000000.log", "clean/bootstrap.checkpoint",
                                 "clean/00000000000000000258-0000000001.checkpoint"})
    for (const Batch& batch : batches_of(vector_file(file)))
      for (const Bytes& value : batch.values) {
        const auto record = decode_record(value);
        ASSERT_TRUE(record) << record.error();
        EXPECT_EQ(to_hex(encode_record(*record)), to_hex(value)) << file << " " << record_name(*record);
      }
}

TEST(KafkasMetadataLog, ReplayedItSaysWhatClientsSaw) {
  // From offset 277 on the node was stopping, after clients had looked.
  EXPECT_EQ(told(*replayed("clean", Offset(277))), vector_file("clean/expected.txt"));
  EXPECT_EQ(told(*replayed("killed")), vector_file("killed/expected.txt"));
}

TEST(KafkasMetadataLog, AnOrderlyStopLeavesPartitionsWithAnEligibleLeader) {
  const MetadataImagePtr image = replayed("clean");
  EXPECT_TRUE(image->find_broker(1)->fenced);
  EXPECT_TRUE(image->find_broker(1)->in_controlled_shutdown);
  const Partition& partition = image->find_topic("codecs")->partitions.at(3);
  EXPECT_EQ(partition.leader, no_leader);
  EXPECT_EQ(partition.leader_epoch, 1);
  EXPECT_EQ(partition.partition_epoch, 1);
  EXPECT_EQ(partition.eligible_leader_replicas, std::vector<int32_t>{1});
}

TEST(KafkasMetadataLog, ItsSnapshotIsTheLogUpToThere) {
  const auto batches = batches_of(vector_file("clean/00000000000000000258-0000000001.checkpoint"));
  MetadataRecords records;
  for (const Batch& batch : batches) std::ranges::move(decoded(batch.values), std::back_inserter(records));
  auto snapshot = image_of(records, Offset(257), LeaderEpoch(1), 0);
  ASSERT_TRUE(snapshot) << snapshot.error();
  MetadataImage with_kraft_version = **snapshot;
  with_kraft_version.kraft_version = 1;
  const MetadataImagePtr log = replayed("clean", Offset(258));
  EXPECT_EQ(told(with_kraft_version), told(*log));
  EXPECT_TRUE(same_content(with_kraft_version, *log));

  // What Moldau would have written into it is the same, but for the order of records and of a registration's features.
  const auto sorted_hex = [](const MetadataRecords& of) {
    std::vector<std::string> hex;
    for (MetadataRecord record : of) {
      std::visit(
          [](auto& message) {
            if constexpr (requires { message.features; }) std::ranges::sort(message.features, {}, [](const auto& one) { return one.name; });
          },
          record.message);
      hex.push_back(to_hex(encode_record(record)));
    }
    std::ranges::sort(hex);
    return hex;
  };
  const MetadataRecords ours = snapshot_records(*log);
  EXPECT_EQ(ours.size(), records.size());
  EXPECT_EQ(sorted_hex(ours), sorted_hex(records));
  EXPECT_EQ(record_name(ours.front()), "FeatureLevelRecord");
}

}  // namespace
}  // namespace moldau::metadata
