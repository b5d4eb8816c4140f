#include "controller/controller.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "controller/world_for_test.h"

namespace moldau::controller::test {
namespace {

using protocol::ErrorCode;

TEST(Bootstrap, AFreshLogBeginsAsKafkasDoes) {
  World world(0);
  ASSERT_EQ(world.names_from(0),
            (std::vector<std::string_view>{"BeginTransactionRecord", "FeatureLevelRecord", "FeatureLevelRecord",
                                           "FeatureLevelRecord", "FeatureLevelRecord", "FeatureLevelRecord",
                                           "FeatureLevelRecord", "ConfigRecord", "EndTransactionRecord"}));
  const MetadataImage& image = world.image();
  EXPECT_EQ(image.feature_level("metadata.version"), 30);
  EXPECT_EQ(image.feature_level("transaction.version"), 2);
  for (const auto* feature : {"group.version", "share.version", "streams.version", "eligible.leader.replicas.version",
                              "kraft.version"})
    EXPECT_EQ(image.feature_level(feature), 1) << feature;
  EXPECT_EQ(image.find_configs(metadata::ResourceType::broker, "").at("min.insync.replicas"), "1");
  EXPECT_TRUE(world.controller().activate(bootstrap_records()).empty()) << "only once";
}

TEST(Bootstrap, ATransactionLeftOpenIsAborted) {
  World world(0);
  World other(0);
  protocol::TopicRecord topic;
  topic.name = "half";
  topic.topic_id = id_of(1);
  world.append({{protocol::BeginTransactionRecord{}, 0}, {topic, 0}});
  world.restart();
  EXPECT_EQ(metadata::record_name(world.log.back()), "AbortTransactionRecord");
  EXPECT_EQ(world.image().find_topic("half"), nullptr);
  EXPECT_TRUE(same_content(world.image(), other.image()));
}

TEST(UpdateFeatures, TheAnswersAreKafkas) {
  World world;
  const auto update = [&](const std::string& feature, int16_t level, int8_t type, bool validate_only = false) {
    protocol::UpdateFeaturesRequest request;
    request.feature_updates.push_back({feature, level, false, type, {}});
    request.validate_only = validate_only;
    const auto response = world.send(request, 2).response;
    constexpr std::string_view start = "The update failed for all features since the following feature had an error: ";
    const std::string message = response.error_message.value_or("");
    return message.empty() ? fmt::format("{}", response.error_code) : message.substr(start.size());
  };
  EXPECT_EQ(update("share.version", 9, 1),
            "Invalid update version 9 for feature share.version. Local controller 1 only supports versions 0-1");
  EXPECT_EQ(update("nope", 1, 1), "Invalid update version 1 for feature nope. Local controller 1 does not support this feature.");
  EXPECT_EQ(update("metadata.version", 29, 2),
            "Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the requested downgrade because it "
            "might delete metadata information.");
  EXPECT_EQ(update("kraft.version", 0, 2),
            "Invalid update version 0 for feature kraft.version. Can't downgrade the version of this feature.");
  EXPECT_NE(update("streams.version", 0, 1).find("upgrade type"), std::string::npos);
  EXPECT_NE(update("streams.version", 0, 7).find("upgrade type"), std::string::npos);
  EXPECT_EQ(update("streams.version", 0, 2, true), "0");
  EXPECT_EQ(world.image().feature_level("streams.version"), 1) << "only validated";
  EXPECT_EQ(update("streams.version", 0, 2), "0");
  EXPECT_EQ(world.image().feature_level("streams.version"), 0);
  EXPECT_EQ(update("streams.version", 1, 2), "Invalid update version 1 for feature streams.version. Can't downgrade to a newer version.");
  EXPECT_EQ(update("streams.version", 1, 1), "0");
}

TEST(UpdateFeatures, OldVersionsHaveAResultForEachFeature) {
  World world;
  protocol::UpdateFeaturesRequest request;
  request.feature_updates.push_back({"streams.version", 0, true, 1, {}});
  const auto response = world.send(request, 0).response;
  EXPECT_EQ(response.error_code, 0);
  ASSERT_EQ(response.results.size(), 1U);
  EXPECT_EQ(response.results[0].feature, "streams.version");
}

TEST(ProducerIds, ComeInBlocksThatNobodyElseGets) {
  World world;
  protocol::AllocateProducerIdsRequest request;
  request.broker_id = 1;
  EXPECT_EQ(world.send(request).response.error_code, static_cast<int16_t>(ErrorCode::stale_broker_epoch));
  request.broker_epoch = world.image().find_broker(1)->epoch;
  for (int64_t start : {0, 1000, 2000}) {
    const auto response = world.send(request).response;
    EXPECT_EQ(response.producer_id_start, start);
    EXPECT_EQ(response.producer_id_len, 1000);
    if (start == 1000) {
      world.restart();
      world.register_broker(1);
      request.broker_epoch = world.image().find_broker(1)->epoch;
    }
  }
}

TEST(AlterConfigs, AChangedMinimumClearsTheEligibleLeaders) {
  World world;
  world.create("t");
  protocol::IncrementalAlterConfigsRequest request;
  request.resources.push_back({2, "t", {{"min.insync.replicas", 0, "1", {}}, {"retention.ms", 0, "7", {}}}, {}});
  const auto answer = world.send(request);
  EXPECT_EQ(answer.response.responses.at(0).error_code, 0);
  EXPECT_EQ(metadata::record_name(world.log.back()), "ClearElrRecord");
  EXPECT_EQ(world.image().find_configs(metadata::ResourceType::topic, "t").at("retention.ms"), "7");
}

TEST(RandomHistory, ReplayGivesWhatTheControllerHadAndEveryLeaderIsInSyncAndAlive) {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    World world(3);
    std::mt19937_64 random(seed);
    for (int step = 0; step < 120; ++step) {
      const auto broker = static_cast<int32_t>(1 + random() % 3);
      const std::string name = fmt::format("t{}", random() % 8);
      switch (random() % 7) {
        case 0:
        case 1: world.create(name, static_cast<int32_t>(1 + random() % 4), static_cast<int16_t>(1 + random() % 3)); break;
        case 2: {
          protocol::DeleteTopicsRequest request;
          request.topic_names = {name};
          world.send(request, 5);
          break;
        }
        case 3: {
          protocol::CreatePartitionsRequest request;
          request.topics.push_back({name, static_cast<int32_t>(1 + random() % 8), std::nullopt, {}});
          world.send(request);
          break;
        }
        case 4: world.heartbeat(broker, true); break;
        case 5: world.heartbeat(broker, false); break;
        case 6: {
          const bool is_clean = random() % 2 == 0;
          const int64_t epoch = world.image().find_broker(broker)->epoch;
          if (is_clean) world.heartbeat(broker, false, true), world.heartbeat(broker, false, true);
          world.now_ms += 10'000;
          world.register_broker(broker, is_clean ? epoch : -1);
          world.unfence(broker);
          break;
        }
      }
      for (const auto& [id, topic] : world.image().topics_by_id)
        for (const metadata::Partition& one : topic->partitions) {
          if (one.leader == -1) continue;
          EXPECT_TRUE(world.image().is_active(one.leader)) << "seed " << seed << " step " << step;
          EXPECT_NE(std::ranges::find(one.isr, one.leader), one.isr.end()) << "seed " << seed << " step " << step;
          for (const int32_t eligible : one.eligible_leader_replicas)
            EXPECT_EQ(std::ranges::find(one.isr, eligible), one.isr.end());
        }
    }
    const metadata::MetadataImagePtr before = world.controller().image();
    world.restart();
    EXPECT_TRUE(same_content(*before, world.image())) << "seed " << seed;
  }
}

}  // namespace
}  // namespace moldau::controller::test
