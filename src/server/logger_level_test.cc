// BROKER_LOGGER: a level that a client sets is the level of the process.
#include "base/log.h"
#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "server/test_broker.h"

namespace moldau::server {
namespace {

using namespace protocol;
using runtime::task;

constexpr int8_t broker_logger = 8;
constexpr int8_t op_set = 0;
constexpr int8_t op_delete = 1;

task<int16_t> alter(TestBroker& broker, int8_t operation, std::string level, bool validate_only = false) {
  IncrementalAlterConfigsRequest request;
  request.validate_only = validate_only;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = broker_logger;
  resource.resource_name = "1";
  auto& config = resource.configs.emplace_back();
  config.name = "root";
  config.config_operation = operation;
  config.value = std::move(level);
  co_return (co_await broker.ask<IncrementalAlterConfigsResponse>(request)).responses.at(0).error_code;
}

task<std::string> described(TestBroker& broker) {
  DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = broker_logger;
  resource.resource_name = "1";
  resource.configuration_keys.reset();
  co_return (co_await broker.ask<DescribeConfigsResponse>(request)).results.at(0).configs.at(0).value.value_or("");
}

task<void> story(TestBroker& broker) {
  const LogLevel before = log_level();
  EXPECT_EQ(co_await described(broker), "INFO");
  EXPECT_EQ(co_await alter(broker, op_set, "ERROR", true), 0);
  EXPECT_EQ(co_await described(broker), "INFO") << "only validated";
  EXPECT_EQ(co_await alter(broker, op_set, "ERROR"), 0);
  EXPECT_EQ(log_level(), LogLevel::error);
  EXPECT_EQ(co_await described(broker), "ERROR");
  EXPECT_EQ(co_await alter(broker, op_set, "FATAL"), 0);
  EXPECT_EQ(log_level(), LogLevel::off);
  EXPECT_EQ(co_await described(broker), "FATAL");
  EXPECT_EQ(co_await alter(broker, op_set, "LOUD"), static_cast<int16_t>(ErrorCode::invalid_config));
  EXPECT_EQ(co_await alter(broker, op_delete, ""), static_cast<int16_t>(ErrorCode::invalid_request));
  EXPECT_EQ(co_await described(broker), "FATAL");
  set_log_level(before);
}

TEST(LoggerLevel, IsWhatAClientSetItTo) { with_broker(story); }

}  // namespace
}  // namespace moldau::server
