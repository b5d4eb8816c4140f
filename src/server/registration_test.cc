// What a node says of itself in the metadata when it has started.
#include <set>

#include "protocol/messages/api_versions_request.h"
#include "protocol/messages/api_versions_response.h"
#include "protocol/messages/describe_cluster_request.h"
#include "protocol/messages/describe_cluster_response.h"
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

task<void> ask_the_controller(TestBroker& broker) {
  broker.client().listener_name = "CONTROLLER";
  broker.client().role = broker.broker().role_of("CONTROLLER");
  protocol::DescribeClusterRequest request;
  request.endpoint_type = 2;
  const auto cluster = co_await broker.ask<protocol::DescribeClusterResponse>(request);
  EXPECT_EQ(cluster.error_code, 0);
  EXPECT_EQ(cluster.endpoint_type, 2);
  EXPECT_EQ(cluster.controller_id, 1);
  EXPECT_EQ(cluster.brokers.size(), 1U);
  if (cluster.brokers.empty()) co_return;
  EXPECT_EQ(cluster.brokers[0].host, "10.0.0.1");
  EXPECT_EQ(cluster.brokers[0].port, 9093);

  protocol::ApiVersionsRequest which;
  which.client_software_name = which.client_software_version = "test";
  std::set<int16_t> offered;
  for (const auto& api : (co_await broker.ask<protocol::ApiVersionsResponse>(which)).api_keys) offered.insert(api.api_key);
  EXPECT_TRUE(offered.contains(static_cast<int16_t>(protocol::ApiKey::describe_quorum)));
  EXPECT_FALSE(offered.contains(static_cast<int16_t>(protocol::ApiKey::produce))) << "a controller has no partitions to write to";
  EXPECT_FALSE(offered.contains(static_cast<int16_t>(protocol::ApiKey::fetch))) << "not for consumers, and the quorum's is not built";
}

TEST(Registration, AControllersListenerHasApisOfItsOwn) { with_broker(ask_the_controller); }

}  // namespace
}  // namespace moldau::server
