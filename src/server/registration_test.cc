// What a node says of itself in the metadata when it has started.
#include "server/test_broker.h"

namespace moldau::server {
namespace {

using runtime::task;

task<void> story(TestBroker& broker) {
  const metadata::MetadataImage& image = *broker.broker().first_shard().image;
  const auto* controller = image.controllers.find(1);
  EXPECT_NE(controller, nullptr);
  if (controller == nullptr) co_return;
  EXPECT_EQ((*controller)->endpoints.size(), 1U);
  EXPECT_EQ((*controller)->endpoints.at(0).name, "CONTROLLER");
  EXPECT_EQ((*controller)->endpoints.at(0).host, "10.0.0.1");
  EXPECT_EQ((*controller)->endpoints.at(0).port, 9093);
  EXPECT_TRUE((*controller)->features.contains("metadata.version"));
  EXPECT_FALSE((*controller)->incarnation_id.is_zero());
}

TEST(Registration, TheControllerSaysWhereItListensAndWhatItCan) { with_broker(story); }

}  // namespace
}  // namespace moldau::server
