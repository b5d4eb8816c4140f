#include "storage/compaction/batch_filter.h"

#include <gtest/gtest.h>

#include "protocol/batch_builder.h"

namespace moldau::storage {
namespace {

using protocol::BatchBuilder;
using protocol::BatchOptions;
using protocol::Codec;
using protocol::RecordBatchHeader;

constexpr int64_t now_ms = 1'000'000;
constexpr int64_t retention_ms = 5'000;

// A pass over batches, given one by one.
struct Pass {
  CleaningRules rules{.now_ms = now_ms, .delete_retention_ms = retention_ms, .upper_bound = Offset(1'000'000)};
  OffsetMap map{OffsetMapLimits(), 1000, KeyHasher(1, 2)};
  LastRecords last_records;
  CleanedTransactions transactions;
  BatchFilter filter{rules, map, last_records, transactions};

  void newest(std::string_view key, int64_t offset) { ASSERT_TRUE(map.put(map.hash(as_bytes(key)), Offset(offset))); }
  // What stays of a batch; empty: nothing.
  Bytes operator()(const Bytes& batch) {
    FilteredBatches kept;
    const auto done = filter.filter(batch, kept);
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_EQ(kept.headers.size(), kept.bytes.empty() ? 0U : 1U);
    if (!kept.headers.empty()) EXPECT_EQ(kept.headers[0].crc, protocol::read_batch_header(kept.bytes).crc);
    return kept.bytes;
  }
};

struct Row {
  int64_t offset;
  int64_t timestamp_ms;
  std::string key;
  std::optional<std::string> value;
  friend bool operator==(const Row&, const Row&) = default;
};

Bytes batch_of(BatchOptions options, const std::vector<Row>& rows) {
  options.base_offset = Offset(rows.front().offset);
  BatchBuilder builder(options);
  const protocol::RecordHeader header{"h", as_bytes("v")};
  for (const Row& row : rows)
    builder.append_at(Offset(row.offset), row.timestamp_ms, as_bytes(row.key),
                      row.value ? std::optional(as_bytes(*row.value)) : std::nullopt, {&header, 1});
  return builder.finish();
}

std::vector<Row> rows_of(const Bytes& batch) {
  EXPECT_TRUE(protocol::is_batch_crc_right(batch));
  std::vector<Row> rows;
  protocol::RecordIterator records(batch);
  while (true) {
    const auto record = records.next();
    EXPECT_TRUE(record) << record.error().what;
    if (!record || *record == nullptr) return rows;
    EXPECT_EQ((*record)->headers.size(), 1U);
    rows.push_back({(*record)->offset.value(), (*record)->timestamp_ms, std::string(as_text(*(*record)->key)),
                    (*record)->value ? std::optional(std::string(as_text(*(*record)->value))) : std::nullopt});
  }
}

TEST(BatchFilter, LeavesABatchThatLosesNothingAsItLies) {
  Pass pass;
  pass.newest("a", 0);
  pass.newest("b", 1);
  const Bytes batch = batch_of({.codec = Codec::lz4}, {{0, 10, "a", "x"}, {1, 20, "b", "y"}});
  EXPECT_EQ(pass(batch), batch);
  EXPECT_EQ(pass.filter.counts().records_written, 2U);
}

TEST(BatchFilter, KeepsOffsetsTimesAndSequencesOfWhatStaysInEveryCodec) {
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    Pass pass;
    pass.newest("b", 101);
    pass.newest("a", 500);
    pass.newest("c", 501);
    const Bytes batch = batch_of({.codec = codec, .leader_epoch = LeaderEpoch(3), .producer_id = ProducerId(7),
                                  .producer_epoch = ProducerEpoch(1), .base_sequence = 50},
                                 {{100, 10, "a", "x"}, {101, 25, "b", "y"}, {102, 30, "c", "z"}});
    const Bytes kept = pass(batch);
    EXPECT_EQ(rows_of(kept), (std::vector<Row>{{101, 25, "b", "y"}}));
    const RecordBatchHeader header = protocol::read_batch_header(kept);
    EXPECT_EQ(header.base_offset, Offset(100));
    EXPECT_EQ(header.last_offset(), Offset(102));
    EXPECT_EQ(header.codec(), codec);
    EXPECT_EQ(header.base_timestamp_ms, 25);
    EXPECT_EQ(header.max_timestamp_ms, 25);
    EXPECT_EQ(header.leader_epoch, LeaderEpoch(3));
    EXPECT_EQ(header.producer_id, ProducerId(7));
    EXPECT_EQ(header.last_sequence(), 52);
  }
}

TEST(BatchFilter, KeepsTheTimeOfTheAppend) {
  Pass pass;
  pass.newest("a", 9);
  pass.newest("b", 9);
  const Bytes batch = batch_of({.timestamp_type = protocol::TimestampType::log_append_time, .log_append_time_ms = 77},
                               {{8, 10, "a", "x"}, {9, 20, "b", "y"}});
  const Bytes kept = pass(batch);
  EXPECT_EQ(rows_of(kept), (std::vector<Row>{{9, 77, "b", "y"}}));
  EXPECT_EQ(protocol::read_batch_header(kept).timestamp_type(), protocol::TimestampType::log_append_time);
}

TEST(BatchFilter, LeavesWhatTheMapDoesNotReach) {
  Pass pass;
  pass.newest("a", 5);
  const Bytes batch = batch_of({}, {{6, 10, "a", "x"}, {7, 20, "a", "y"}});
  EXPECT_EQ(pass(batch), batch);
}

TEST(BatchFilter, DropsRecordsWithoutAKey) {
  Pass pass;
  pass.newest("a", 9);
  BatchBuilder builder({});
  builder.append(1, std::nullopt, as_bytes("x"));
  EXPECT_TRUE(pass(builder.finish()).empty());
  EXPECT_EQ(pass.filter.counts().records_without_key, 1U);
}

// KIP-534.
TEST(BatchFilter, GivesTombstonesAHorizonOnceAndDropsThemBehindIt) {
  Pass first;
  first.newest("a", 0);
  first.newest("b", 1);
  const Bytes batch = batch_of({}, {{0, 10, "a", std::nullopt}, {1, 20, "b", "y"}});
  const Bytes marked = first(batch);
  EXPECT_EQ(protocol::read_batch_header(marked).delete_horizon_ms(), now_ms + retention_ms);
  EXPECT_EQ(rows_of(marked), rows_of(batch));

  Pass again;
  again.rules.now_ms = now_ms + retention_ms - 1;
  again.newest("c", 2);
  EXPECT_EQ(again(marked), marked);

  Pass behind;
  behind.rules.now_ms = now_ms + retention_ms;
  behind.newest("c", 2);
  const Bytes left = behind(marked);
  EXPECT_EQ(rows_of(left), (std::vector<Row>{{1, 20, "b", "y"}}));
  EXPECT_EQ(protocol::read_batch_header(left).delete_horizon_ms(), now_ms + retention_ms);
}

TEST(BatchFilter, AHorizonBeyondAllTimeIsNone) {
  Pass pass;
  pass.rules.delete_retention_ms = INT64_MAX;
  pass.newest("a", 0);
  const Bytes kept = pass(batch_of({}, {{0, 10, "a", std::nullopt}}));
  EXPECT_FALSE(protocol::read_batch_header(kept).delete_horizon_ms());
  EXPECT_EQ(rows_of(kept), (std::vector<Row>{{0, 10, "a", std::nullopt}}));
}

TEST(BatchFilter, KeepsTheHeaderOfAProducersLastBatch) {
  Pass pass;
  pass.newest("a", 900);
  pass.last_records[ProducerId(7)] = {Offset(3), ProducerEpoch(0)};
  const BatchOptions of_producer{.codec = Codec::zstd, .producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(0), .base_sequence = 4};
  const Bytes header_only = pass(batch_of(of_producer, {{2, 10, "a", "x"}, {3, 30, "a", "y"}}));
  ASSERT_EQ(header_only.size(), protocol::record_batch_header_bytes);
  EXPECT_TRUE(rows_of(header_only).empty());
  const RecordBatchHeader header = protocol::read_batch_header(header_only);
  EXPECT_EQ(header.base_offset, Offset(2));
  EXPECT_EQ(header.last_sequence(), 5);
  EXPECT_EQ(header.max_timestamp_ms, 30);
  EXPECT_EQ(header.codec(), Codec::none);
  EXPECT_EQ(pass(header_only), header_only);
  EXPECT_TRUE(pass(batch_of(of_producer, {{4, 10, "a", "x"}})).empty());  // not its last one
}

TEST(BatchFilter, KeepsTheHeaderOfTheRoundsLastBatch) {
  Pass pass;
  pass.rules.upper_bound = Offset(4);
  pass.newest("a", 900);
  EXPECT_EQ(pass(batch_of({}, {{2, 10, "a", "x"}, {3, 30, "a", "y"}})).size(), protocol::record_batch_header_bytes);
  EXPECT_TRUE(pass(batch_of({}, {{1, 10, "a", "x"}, {2, 30, "a", "y"}})).empty());
}

TEST(BatchFilter, RefusesBatchesThatItCannotRead) {
  Pass pass;
  pass.newest("a", 9);
  FilteredBatches kept;
  Bytes truncated = batch_of({}, {{0, 10, "a", "x"}});
  truncated[protocol::record_batch_header_bytes] = std::byte{0x7e};  // the record's length
  EXPECT_FALSE(pass.filter.filter(truncated, kept));
  Bytes garbled = batch_of({.codec = Codec::zstd}, {{0, 10, "a", "x"}});
  garbled.back() ^= std::byte{0x55};
  garbled[70] ^= std::byte{0x55};
  EXPECT_FALSE(pass.filter.filter(garbled, kept));
  EXPECT_TRUE(kept.bytes.empty());
}

// --- transactions ---

Bytes marker(int64_t offset, int64_t producer, bool is_commit, std::optional<int64_t> horizon_ms = std::nullopt) {
  BatchBuilder builder({.base_offset = Offset(offset), .producer_id = ProducerId(producer), .producer_epoch = ProducerEpoch(0),
                        .is_transactional = true, .is_control = true, .delete_horizon_ms = horizon_ms});
  const Bytes key = from_hex(is_commit ? "00000001" : "00000000");
  builder.append(100, key, as_bytes(std::string_view("\0\0\0\0\0\1", 6)));
  return builder.finish();
}

Bytes transactional(int64_t offset, int64_t producer, std::string_view key) {
  BatchBuilder builder({.base_offset = Offset(offset), .producer_id = ProducerId(producer), .producer_epoch = ProducerEpoch(0),
                        .base_sequence = 0, .is_transactional = true});
  builder.append(100, as_bytes(key), as_bytes("v"));
  return builder.finish();
}

TEST(BatchFilter, DropsTheDataOfAbortedTransactionsAndKeepsTheMarkerForThisPass) {
  Pass pass;
  const AbortedTransaction aborted{ProducerId(1), Offset(0), Offset(2), Offset(0)};
  pass.transactions.add_aborted(std::span(&aborted, 1));
  pass.newest("b", 1);
  EXPECT_TRUE(pass(transactional(0, 1, "a")).empty());
  EXPECT_FALSE(pass(transactional(1, 2, "b")).empty());
  EXPECT_EQ(pass(marker(2, 1, false)), marker(2, 1, false));
  EXPECT_EQ(pass.transactions.take_kept_aborted(), std::vector{aborted});
  EXPECT_EQ(pass(marker(3, 2, true)), marker(3, 2, true));
}

TEST(BatchFilter, GivesAMarkerWithoutATransactionAHorizonAndDropsItBehindIt) {
  Pass pass;
  pass.newest("a", 900);
  const Bytes marked = pass(marker(2, 1, false));
  EXPECT_EQ(protocol::read_batch_header(marked).delete_horizon_ms(), now_ms + retention_ms);
  EXPECT_EQ(pass(marked), marked);
  Pass behind;
  behind.rules.now_ms = now_ms + retention_ms;
  EXPECT_TRUE(behind(marked).empty());
  EXPECT_TRUE(behind.transactions.take_kept_aborted().empty());
}

// A horizon that was set when the transaction seemed to be gone is nothing to go by while there are data (KAFKA-13727).
TEST(BatchFilter, NeverDropsAMarkerBeforeTheDataOfItsTransaction) {
  Pass pass;
  pass.rules.now_ms = now_ms + 10 * retention_ms;
  const AbortedTransaction aborted{ProducerId(1), Offset(0), Offset(2), Offset(0)};
  pass.transactions.add_aborted(std::span(&aborted, 1));
  EXPECT_TRUE(pass(transactional(0, 1, "a")).empty());
  const Bytes with_horizon = marker(2, 1, false, now_ms);
  EXPECT_EQ(pass(with_horizon), with_horizon);
  pass.newest("b", 3);
  EXPECT_FALSE(pass(transactional(3, 1, "b")).empty());
  EXPECT_FALSE(pass(marker(4, 1, true, now_ms)).empty());
}

TEST(BatchFilter, KeepsAMarkerThatAloneTellsAProducersEpoch) {
  Pass pass;
  pass.rules.now_ms = now_ms + 10 * retention_ms;
  pass.last_records[ProducerId(1)] = {no_offset, ProducerEpoch(0)};
  const Bytes kept = pass(marker(2, 1, false, now_ms));
  ASSERT_EQ(kept.size(), protocol::record_batch_header_bytes);
  EXPECT_TRUE(protocol::read_batch_header(kept).is_control());
  EXPECT_EQ(pass(kept).size(), protocol::record_batch_header_bytes);  // emptied already
}

TEST(BatchFilter, KeepsTheTransactionIndexAsLongAsAnEmptiedBatchOfTheTransaction) {
  Pass pass;
  pass.rules.now_ms = now_ms + 10 * retention_ms;
  pass.last_records[ProducerId(1)] = {Offset(0), ProducerEpoch(0)};
  const AbortedTransaction aborted{ProducerId(1), Offset(0), Offset(2), Offset(0)};
  pass.transactions.add_aborted(std::span(&aborted, 1));
  EXPECT_EQ(pass(transactional(0, 1, "a")).size(), protocol::record_batch_header_bytes);
  EXPECT_FALSE(pass(marker(2, 1, false, now_ms)).empty());
  EXPECT_EQ(pass.transactions.take_kept_aborted(), std::vector{aborted});
}

}  // namespace
}  // namespace moldau::storage
