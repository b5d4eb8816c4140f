#include "metadata/config/load_node_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metadata/config/topic_defaults.h"

namespace moldau::metadata {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view minimal = "process.roles=broker,controller\nnode.id=1\n";

result<LoadedConfig, ConfigProblems> load(std::string_view more, std::vector<std::string> overrides = {},
                                          bool strict = false) {
  static std::string text;
  text = std::string(minimal) + std::string(more);
  return load_node_config(
      {.file_name = "f.properties", .file_bytes = text, .overrides = std::move(overrides), .strict = strict});
}

std::string problems_of(const result<LoadedConfig, ConfigProblems>& loaded) {
  return loaded ? "none" : fmt::format("{}", fmt::join(loaded.error(), "\n"));
}

std::string notes_of(const result<LoadedConfig, ConfigProblems>& loaded) {
  return loaded ? fmt::format("{}", fmt::join(loaded->notes, "\n")) : problems_of(loaded);
}

TEST(LoadNodeConfig, without_a_file_the_node_is_alone_on_the_loopback_address) {
  const auto loaded = load_node_config({});
  ASSERT_TRUE(loaded) << problems_of(loaded);
  const auto& node = loaded->node;
  EXPECT_EQ(node.node_id, NodeId(1));
  EXPECT_THAT(node.network.listeners, ElementsAre(ListenerEndpoint{"PLAINTEXT", "127.0.0.1", 9092}));
  EXPECT_EQ(node.network.advertised_listeners, node.network.listeners);
  EXPECT_THAT(node.network.controller_listeners, IsEmpty());
  EXPECT_THAT(node.logs.log_dirs, ElementsAre("./moldau-data"));
  EXPECT_EQ(node.logs.metadata_log_dir, "./moldau-data");
  EXPECT_EQ(node.groups.offsets_topic_replication_factor, 1);
  EXPECT_EQ(node.transactions.transaction_state_log_min_isr, 1);
  EXPECT_EQ(node.own.http_port, 9644);
  EXPECT_EQ(node.topic_defaults, TopicConfig{}) << "the struct's defaults are the schema's";
  EXPECT_THAT(loaded->notes, ElementsAre(HasSubstr("no controller listener is bound")));
}

TEST(LoadNodeConfig, every_default_of_the_structs_is_that_of_the_schema) {
  const auto loaded = load("");
  ASSERT_TRUE(loaded) << problems_of(loaded);
  const auto& node = loaded->node;
  const NetworkConfig network;
  EXPECT_EQ(node.network.socket_send_buffer_bytes, network.socket_send_buffer_bytes);
  EXPECT_EQ(node.network.socket_request_max_bytes, network.socket_request_max_bytes);
  EXPECT_EQ(node.network.queued_max_requests, network.queued_max_requests);
  EXPECT_EQ(node.network.max_connections_per_ip, network.max_connections_per_ip);
  EXPECT_EQ(node.network.connections_max_idle_ms, network.connections_max_idle_ms);
  EXPECT_EQ(node.network.max_request_partition_size_limit, network.max_request_partition_size_limit);
  const LogDirsConfig logs;
  EXPECT_EQ(node.logs.num_recovery_threads_per_data_dir, logs.num_recovery_threads_per_data_dir);
  EXPECT_EQ(node.logs.log_retention_check_interval_ms, logs.log_retention_check_interval_ms);
  EXPECT_EQ(node.logs.log_flush_scheduler_interval_ms, logs.log_flush_scheduler_interval_ms);
  EXPECT_EQ(node.logs.producer_id_expiration_ms, logs.producer_id_expiration_ms);
  const QuorumConfig quorum;
  EXPECT_EQ(node.quorum.metadata_log_max_record_bytes_between_snapshots,
            quorum.metadata_log_max_record_bytes_between_snapshots);
  EXPECT_EQ(node.quorum.metadata_max_idle_interval_ms, quorum.metadata_max_idle_interval_ms);
  EXPECT_EQ(node.quorum.broker_session_timeout_ms, quorum.broker_session_timeout_ms);
  const GroupsConfig groups;
  EXPECT_EQ(node.groups.group_initial_rebalance_delay_ms, groups.group_initial_rebalance_delay_ms);
  EXPECT_EQ(node.groups.offsets_retention_ms, groups.offsets_retention_ms);
  EXPECT_EQ(node.groups.offsets_topic_replication_factor, 3) << "a file gets Kafka's default";
  const TransactionsConfig transactions;
  EXPECT_EQ(node.transactions.transaction_max_timeout_ms, transactions.transaction_max_timeout_ms);
  EXPECT_EQ(node.transactions.transactional_id_expiration_ms, transactions.transactional_id_expiration_ms);
}

TEST(LoadNodeConfig, kafkas_own_combined_file_is_taken) {
  const auto loaded = load(
      "listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n"
      "inter.broker.listener.name=PLAINTEXT\n"
      "advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n"
      "controller.listener.names=CONTROLLER\n"
      "controller.quorum.bootstrap.servers=localhost:9093\n"
      "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_"
      "PLAINTEXT,"
      "SASL_SSL:SASL_SSL\n"
      "num.network.threads=3\nlog.dirs=/tmp/kraft-combined-logs\nlog.retention.hours=168\n");
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_THAT(loaded->node.network.listeners, ElementsAre(ListenerEndpoint{"PLAINTEXT", "localhost", 9092}));
  EXPECT_THAT(loaded->node.network.controller_listeners,
              ElementsAre(ListenerEndpoint{"CONTROLLER", "localhost", 9093}));
  EXPECT_EQ(loaded->node.network.advertised_listeners.size(), 1U);
}

TEST(LoadNodeConfig, an_override_wins_over_the_file) {
  EXPECT_EQ(
      load("num.partitions=2\n", {"num.partitions=3", "num.partitions = 4"})->node.topics.num_partitions, 4);
  EXPECT_THAT(problems_of(load("", {"num.partitions"})), HasSubstr("KEY=VALUE"));
}

TEST(LoadNodeConfig, an_unknown_key_is_named_with_its_neighbour_and_fails_when_strict) {
  EXPECT_THAT(notes_of(load("log.retention.hour=1\n")),
              HasSubstr("f.properties:3: unknown key log.retention.hour; did you mean log.retention.hours?"));
  EXPECT_FALSE(load("log.retention.hour=1\n", {}, true));
  EXPECT_THAT(notes_of(load("zookeeper.connect=localhost:2181\n")), HasSubstr("KRaft"));
  EXPECT_THAT(notes_of(load("leader.replication.throttled.rate=5\n")), HasSubstr("only while the node runs"));
}

TEST(LoadNodeConfig, every_wrong_value_is_told_at_once_with_its_line) {
  const auto loaded = load("num.partitions=0\nlog.segment.bytes=many\n");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error(),
              ElementsAre(HasSubstr("f.properties:4: Invalid value many for configuration log.segment.bytes"),
                          HasSubstr("f.properties:3: Invalid value 0 for configuration num.partitions")));
}

TEST(LoadNodeConfig, a_socket_buffer_has_a_size_or_the_systems) {
  EXPECT_TRUE(load("socket.send.buffer.bytes=-1\nsocket.receive.buffer.bytes=-1\n"));
  EXPECT_THAT(problems_of(load("socket.send.buffer.bytes=0\n")), HasSubstr("socket.send.buffer.bytes: 0"));
  EXPECT_THAT(problems_of(load("socket.receive.buffer.bytes=-2\n")), HasSubstr("at least 1, or -1"));
}

TEST(LoadNodeConfig, security_that_is_not_built_stops_the_start_and_is_named) {
  for (const std::string_view line :
       {"ssl.keystore.location=/k\n",
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n",
        "sasl.enabled.mechanisms=PLAIN\n", "super.users=User:admin\n", "delegation.token.secret.key=x\n",
        "listener.name.plaintext.ssl.key.password=x\n", "security.inter.broker.protocol=SSL\n"}) {
    const auto loaded = load(line);
    EXPECT_FALSE(loaded) << line;
    EXPECT_THAT(problems_of(loaded), HasSubstr(std::string(line.substr(0, line.find('='))))) << line;
  }
  EXPECT_THAT(problems_of(load("listeners=SSL://localhost:9092\n")),
              HasSubstr("asks for SSL, which is not built yet"));
  EXPECT_THAT(problems_of(load("listeners=IN://:1\nlistener.security.protocol.map=IN:SASL_SSL\n")),
              HasSubstr("SASL_SSL"));
}

TEST(LoadNodeConfig, security_keys_at_their_defaults_do_no_harm) {
  const auto loaded = load("ssl.client.auth=none\nauthorizer.class.name=\nsasl.enabled.mechanisms=GSSAPI\n");
  EXPECT_TRUE(loaded) << problems_of(loaded);
}

TEST(LoadNodeConfig, what_cannot_be_honoured_is_refused) {
  EXPECT_THAT(problems_of(load("remote.log.storage.system.enable=true\n")),
              HasSubstr("remote.log.storage.system.enable"));
  EXPECT_THAT(problems_of(load("config.providers=file\n")), HasSubstr("config.providers"));
  EXPECT_TRUE(load("remote.log.storage.system.enable=false\n"));
}

TEST(LoadNodeConfig, only_a_combined_node_alone_in_its_quorum_is_built) {
  EXPECT_THAT(problems_of(load("", {"process.roles=broker"})), HasSubstr("process.roles=broker,controller"));
  EXPECT_TRUE(load("", {"process.roles=controller, broker"}));
  EXPECT_THAT(problems_of(load("controller.quorum.voters=1@a:1,2@b:2\n")), HasSubstr("not built yet"));
  EXPECT_THAT(problems_of(load("controller.quorum.voters=2@b:2\n")), HasSubstr("must be among the voters"));
  EXPECT_TRUE(load("controller.quorum.voters=1@localhost:9093\n"));
  EXPECT_THAT(problems_of(load_node_config({.file_name = "f", .file_bytes = "num.partitions=1\n"})),
              HasSubstr("Missing configuration node.id"));
}

TEST(LoadNodeConfig, node_id_and_broker_id_are_one) {
  EXPECT_EQ(load("broker.id=1\n")->given.at("broker.id"), "1");
  EXPECT_EQ(load("")->given.at("broker.id"), "1");
  EXPECT_THAT(problems_of(load("broker.id=2\n")), HasSubstr("broker.id is 2"));
}

TEST(LoadNodeConfig, listeners_keep_kafkas_rules) {
  const auto problem = [](std::string_view lines) { return problems_of(load(lines)); };
  EXPECT_THAT(problem("listeners=PLAINTEXT://:9092,PLAINTEXT://:9093\n"), HasSubstr("stands there twice"));
  EXPECT_THAT(problem("listeners=A://:1,B://:1\nlistener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\n"),
              HasSubstr("share port 1"));
  EXPECT_THAT(problem("listeners=A://:1\n"), HasSubstr("add A:PLAINTEXT"));
  EXPECT_THAT(problem("listeners=localhost:9092\n"), HasSubstr("NAME://HOST:PORT"));
  EXPECT_THAT(problem("listeners=PLAINTEXT://x:70000\n"), HasSubstr("65535"));
  EXPECT_THAT(problem("listeners=PLAINTEXT://0.0.0.0:9092\n"), HasSubstr("0.0.0.0"));
  EXPECT_THAT(problem("listeners=PLAINTEXT://:9092\nadvertised.listeners=OTHER://h:1\n"), HasSubstr("OTHER"));
  EXPECT_THAT(problem("controller.listener.names=CONTROLLER\n"),
              HasSubstr("CONTROLLER is not among listeners"));
  EXPECT_THAT(problem("listeners=CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER\n"),
              HasSubstr("at least one listener for clients"));
  EXPECT_THAT(problem("listeners=IN://:1\nlistener.security.protocol.map=IN:PLAINTEXT\n"),
              HasSubstr("inter.broker.listener.name"));
  const auto both = load(
      "listeners=A://127.0.0.1:1,B://[::1]:1\nlistener.security.protocol.map=a:plaintext,B:PLAINTEXT\n"
      "inter.broker.listener.name=a\n");
  EXPECT_TRUE(both) << problems_of(both);
  EXPECT_EQ(load("listeners=PLAINTEXT://:9092\n")->node.network.advertised_listeners[0].host, "localhost");
}

TEST(LoadNodeConfig, a_log_directory_that_is_named_twice_is_refused) {
  EXPECT_THAT(problems_of(load("log.dirs=/a,/b, /a\n")), HasSubstr("log.dirs names /a twice: name every directory once"));
  EXPECT_THAT(problems_of(load("log.dir=/a,/a\n")), HasSubstr("log.dir names /a twice"));
  EXPECT_EQ(load("log.dirs=/a,/b\n")->node.logs.log_dirs.size(), 2u);
}

TEST(LoadNodeConfig, what_is_cordoned_is_among_the_log_directories) {
  EXPECT_THAT(problems_of(load("log.dirs=/a,/b\ncordoned.log.dirs=/b,/c,/d\n")), HasSubstr("Missing entries : /c, /d"));
  EXPECT_THAT(problems_of(load("log.dirs=/a,/b\ncordoned.log.dirs=*,/a\n")), HasSubstr("must not contain other values"));
  EXPECT_TRUE(load("log.dirs=/a,/b\ncordoned.log.dirs=*\n"));
  EXPECT_TRUE(load("log.dir=/a\ncordoned.log.dirs=/a\n"));
}

TEST(LoadNodeConfig, rules_between_keys_are_kept) {
  const auto problem = [](std::string_view lines) { return problems_of(load(lines)); };
  EXPECT_THAT(problem("replica.fetch.wait.max.ms=40000\n"), HasSubstr("replica.socket.timeout.ms"));
  EXPECT_THAT(problem("group.consumer.session.timeout.ms=70000\n"),
              HasSubstr("group.consumer.max.session.timeout.ms"));
  EXPECT_THAT(problem("log.retention.ms=0\n"), HasSubstr("log.retention.ms"));
  EXPECT_THAT(problem("log.cleaner.threads=200\n"), HasSubstr("log.cleaner.dedupe.buffer.size"));
  EXPECT_THAT(problem("queued.max.request.bytes=1\n"), HasSubstr("socket.request.max.bytes"));
  EXPECT_THAT(problem("max.connections.per.ip=0\n"), HasSubstr("max.connections.per.ip.overrides"));
  EXPECT_THAT(problem("broker.heartbeat.interval.ms=5000\n"), HasSubstr("broker.session.timeout.ms"));
  EXPECT_THAT(problem("max.connections.per.ip=0\nmax.connections.per.ip.overrides=127.0.0.1:5\n"), "none");
}

TEST(LoadNodeConfig, the_finer_unit_wins) {
  EXPECT_EQ(load("log.retention.hours=1\nlog.retention.minutes=2\n")->node.topic_defaults.retention_ms,
            120000);
  EXPECT_EQ(load("log.retention.hours=1\nlog.retention.ms=7\n")->node.topic_defaults.retention_ms, 7);
  EXPECT_EQ(load("log.retention.hours=-5\n")->node.topic_defaults.retention_ms, -1);
  EXPECT_EQ(load("log.roll.hours=2\n")->node.topic_defaults.segment_ms, 7200000);
  EXPECT_EQ(load("log.flush.scheduler.interval.ms=9\n")->node.topic_defaults.flush_ms, 9);
}

TEST(LoadNodeConfig, moldaus_own_keys) {
  EXPECT_EQ(load("moldau.http.listener=\n")->node.own.http_port, std::nullopt);
  EXPECT_EQ(load("moldau.http.listener=[::1]:80\n")->node.own.http_host, "::1");
  EXPECT_FALSE(load("moldau.http.listener=80\n"));
  EXPECT_EQ(load("moldau.shards=3\n")->node.own.shards, 3);
  EXPECT_FALSE(load("moldau.shards=0\n"));
}

TEST(LoadNodeConfig, secrets_stay_out_of_messages) {
  EXPECT_THAT(problems_of(load("ssl.key.password=hunter2\n")), Not(HasSubstr("hunter2")));
}

TEST(TopicConfig, an_override_wins_over_the_broker_and_a_bad_one_is_left_out) {
  const ConfigMap broker = {{"log.retention.hours", "1"}, {"compression.type", "lz4"}};
  const auto defaults = topic_defaults(broker);
  const auto config = topic_config(defaults, {{"retention.ms", "5"},
                                              {"cleanup.policy", "compact"},
                                              {"internal.segment.bytes", "100"},
                                              {"segment.bytes", "7"},
                                              {"no.such.key", "x"}});
  EXPECT_EQ(defaults.retention_ms, 3600000);
  EXPECT_EQ(config.retention_ms, 5);
  EXPECT_TRUE(config.cleanup_compact);
  EXPECT_FALSE(config.cleanup_delete);
  EXPECT_EQ(config.compression_type, TopicCompression::lz4);
  EXPECT_EQ(config.segment_bytes, 1073741824) << "7 is below the limit";
  EXPECT_EQ(config.effective_segment_bytes(), 100);
}

TEST(EffectiveBrokerConfig, a_dynamic_value_hides_its_synonyms_below) {
  const ConfigMap fixed = {{"log.retention.hours", "100"}, {"message.max.bytes", "1"}};
  const auto config = effective_broker_config(fixed, {{"log.retention.ms", "5"}, {"message.max.bytes", "2"}},
                                              {{"message.max.bytes", "3"}, {"num.io.threads", "nonsense"}});
  EXPECT_EQ(config, (ConfigMap{{"log.retention.ms", "5"}, {"message.max.bytes", "3"}}));
}

}  // namespace
}  // namespace moldau::metadata
