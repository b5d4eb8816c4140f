#include "storage/checkpoints.h"

#include <gtest/gtest.h>

namespace moldau::storage {
namespace {

TEST(Checkpoints, AreWrittenAsKafkaWritesThem) {
  EXPECT_EQ(as_text(encode_partition_offsets({{"a b", 0, Offset(7)}, {"t", 12, Offset(9)}})), "0\n2\na b 0 7\nt 12 9\n");
  EXPECT_EQ(as_text(encode_partition_metadata(Uuid{1, 2})), "version: 0\ntopic_id: AAAAAAAAAAEAAAAAAAAAAg");
  LeaderEpochs epochs;
  epochs.assign(LeaderEpoch(0), Offset(0));
  epochs.assign(LeaderEpoch(3), Offset(8));
  EXPECT_EQ(as_text(encode_leader_epochs(epochs)), "0\n2\n0 0\n3 8\n");
}

TEST(Checkpoints, AreReadBack) {
  const auto offsets = decode_partition_offsets(as_bytes("0\n2\nx 1 5\ny 0 -1\n"));
  ASSERT_TRUE(offsets);
  EXPECT_EQ(*offsets, (std::vector<PartitionOffset>{{"x", 1, Offset(5)}, {"y", 0, Offset(-1)}}));
  EXPECT_TRUE(decode_leader_epochs(as_bytes(""))->entries().empty());
  EXPECT_EQ(*decode_partition_metadata(as_bytes("version: 0\ntopic_id: AAAAAAAAAAEAAAAAAAAAAg")), (Uuid{1, 2}));
}

TEST(Checkpoints, AreNotBelievedWhenTheyAreMalformed) {
  for (const char* wrong : {"", "1\n0\n", "0\n", "0\nx\n", "0\n-1\n", "0\n2\nt 0 1\n", "0\n1\nt 0 1\nt 1 1\n", "0\n1\nt 0\n",
                            "0\n1\nt zero 1\n", "0\n1\nt 0 1 1\n", "0\n1\nt 0 99999999999999999999\n"})
    EXPECT_FALSE(decode_partition_offsets(as_bytes(wrong))) << wrong;
  for (const char* wrong : {"0\n1\n-1 0\n", "0\n1\n1 -5\n", "0\n1\n1\n"})
    EXPECT_FALSE(decode_leader_epochs(as_bytes(wrong))) << wrong;
  for (const char* wrong : {"", "version: 1\ntopic_id: AAAAAAAAAAEAAAAAAAAAAg", "version: 0\n", "version: 0\ntopic_id: x",
                            "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA"})
    EXPECT_FALSE(decode_partition_metadata(as_bytes(wrong))) << wrong;
}

TEST(LeaderEpochs, AnswerWhereAnEpochEnds) {
  LeaderEpochs epochs;
  EXPECT_EQ(epochs.end_of(LeaderEpoch(1), Offset(9)), std::nullopt);
  epochs.assign(LeaderEpoch(1), Offset(0));
  epochs.assign(LeaderEpoch(4), Offset(6));
  EXPECT_EQ(epochs.end_of(LeaderEpoch(0), Offset(9)), (EpochEnd{LeaderEpoch(0), Offset(0)}));
  EXPECT_EQ(epochs.end_of(LeaderEpoch(1), Offset(9)), (EpochEnd{LeaderEpoch(1), Offset(6)}));
  EXPECT_EQ(epochs.end_of(LeaderEpoch(3), Offset(9)), (EpochEnd{LeaderEpoch(1), Offset(6)}));
  EXPECT_EQ(epochs.end_of(LeaderEpoch(4), Offset(9)), (EpochEnd{LeaderEpoch(4), Offset(9)}));
  EXPECT_EQ(epochs.end_of(LeaderEpoch(5), Offset(9)), std::nullopt);
}

TEST(LeaderEpochs, ForgetWhatContradictsANewEpoch) {
  LeaderEpochs epochs;
  epochs.assign(LeaderEpoch(1), Offset(0));
  epochs.assign(LeaderEpoch(2), Offset(5));
  EXPECT_FALSE(epochs.assign(LeaderEpoch(2), Offset(7)));
  EXPECT_TRUE(epochs.assign(LeaderEpoch(3), Offset(5)));
  EXPECT_EQ(epochs.entries().size(), 2U);
  EXPECT_TRUE(epochs.truncate_from_end(Offset(5)));
  EXPECT_TRUE(epochs.truncate_from_start(Offset(3)));
  EXPECT_EQ(*epochs.earliest(), (EpochEntry{LeaderEpoch(1), Offset(3)}));
  EXPECT_EQ(epochs.epoch_of(Offset(2)), std::nullopt);
}

}  // namespace
}  // namespace moldau::storage
