// A start that fails before the logs were looked at says nothing of how they are: the next one has to look.
#include "server/test_broker.h"

namespace moldau::server {
namespace {

using runtime::task;

TEST(FailedStart, LeavesNoMarkOfACleanStop) {
  runtime::simulated::World world(1);
  runtime::simulated::Node& server = world.add_node("10.0.0.1", 1);
  bool done = false;
  // Killed as it runs.
  world.boot(server, [&](runtime::Environment& environment) -> task<void> {
    Node node(environment, test_config());
    EXPECT_TRUE(co_await node.start());
    done = true;
    co_await runtime::sleep_ms(1'000'000);
  });
  ASSERT_TRUE(world.run_until([&] { return done; }, 60'000'000));
  world.crash(server);
  done = false;
  world.boot(server, [&](runtime::Environment& environment) -> task<void> {
    const auto taken = environment.network().listen({"10.0.0.1", 9092}, [](std::unique_ptr<runtime::Connection>) {});
    EXPECT_TRUE(taken);
    Node node(environment, test_config());
    const auto started = co_await node.start();
    EXPECT_FALSE(started);
    if (!started) EXPECT_NE(started.error().find("9092"), std::string::npos) << started.error();
    if (!started) EXPECT_NE(started.error().find("another port"), std::string::npos) << "what to do: " << started.error();
    co_await node.stop();
    EXPECT_FALSE(co_await environment.files().status("/data/.kafka_cleanshutdown"));
    done = true;
  });
  EXPECT_TRUE(world.run_until([&] { return done; }, 60'000'000));
}

}  // namespace
}  // namespace moldau::server
