#include "metadata/config/config_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "metadata/config/config_tables.h"
#include "metadata/config/host_port.h"
#include "metadata/config/iso_duration.h"

namespace moldau::metadata {
namespace {

using ::testing::HasSubstr;

const ConfigKey& key(std::string_view name) {
  const auto* found = find_node_key(name);
  if (!found) found = find_config_key(ConfigTable::topic, name);
  if (!found) found = find_config_key(ConfigTable::group, name);
  return *found;
}

bool takes(std::string_view name, std::string_view text) {
  return parse_config_value(key(name), text).has_value();
}

std::string refusal(std::string_view name, std::string_view text) {
  const auto value = parse_config_value(key(name), text);
  return value ? "taken" : value.error().message;
}

TEST(ConfigValue, numbers_keep_to_their_type_and_range) {
  EXPECT_EQ(parse_config_value(key("num.partitions"), " 12 ").value(), ConfigValue(int64_t{12}));
  EXPECT_TRUE(takes("num.partitions", "+1"));
  EXPECT_FALSE(takes("num.partitions", "+-1"));
  EXPECT_FALSE(takes("num.partitions", "0"));
  EXPECT_FALSE(takes("num.partitions", "1.0"));
  EXPECT_FALSE(takes("num.partitions", ""));
  EXPECT_FALSE(takes("num.partitions", "2147483648"));
  EXPECT_TRUE(takes("log.retention.bytes", "9223372036854775807"));
  EXPECT_FALSE(takes("offsets.topic.replication.factor", "32768"));
  EXPECT_TRUE(takes("compression.gzip.level", "-1"));
  EXPECT_FALSE(takes("compression.gzip.level", "0"));
  EXPECT_FALSE(takes("compression.gzip.level", "10"));
  EXPECT_TRUE(takes("min.cleanable.dirty.ratio", "1e-1"));
  EXPECT_FALSE(takes("min.cleanable.dirty.ratio", "1.01"));
  EXPECT_FALSE(takes("min.cleanable.dirty.ratio", "NaN")) << "Kafka takes it; nothing good comes of it";
}

TEST(ConfigValue, a_refusal_names_key_value_and_what_is_allowed) {
  const auto text = refusal("log.segment.bytes", "100");
  EXPECT_THAT(text, HasSubstr("log.segment.bytes"));
  EXPECT_THAT(text, HasSubstr("Invalid value 100"));
  EXPECT_THAT(text, HasSubstr("1048576"));
  EXPECT_THAT(refusal("compression.type", "brotli"),
              HasSubstr("uncompressed, zstd, lz4, snappy, gzip, producer"));
  EXPECT_THAT(refusal("auto.create.topics.enable", "yes"), HasSubstr("true or false"));
}

TEST(ConfigValue, a_refusal_does_not_grow_with_the_value) {
  EXPECT_LT(refusal("num.partitions", std::string(100000, 'x')).size(), 400U);
}

TEST(ConfigValue, lists_lose_repeats_and_have_no_empty_entries) {
  EXPECT_EQ(parse_config_value(key("cleanup.policy"), "compact , delete").value(),
            ConfigValue(std::vector<std::string>{"compact", "delete"}));
  EXPECT_TRUE(takes("cleanup.policy", "")) << "kept for ever";
  EXPECT_EQ(parse_config_value(key("cleanup.policy"), "delete,delete").value(),
            ConfigValue(std::vector<std::string>{"delete"}));
  EXPECT_FALSE(takes("cleanup.policy", "delete,"));
  EXPECT_FALSE(takes("cleanup.policy", "Delete"));
  EXPECT_FALSE(takes("process.roles", ""));
  EXPECT_TRUE(takes("follower.replication.throttled.replicas", "0:1,1:2"));
  EXPECT_TRUE(takes("follower.replication.throttled.replicas", "*"));
  EXPECT_FALSE(takes("follower.replication.throttled.replicas", "0:1,*"));
  EXPECT_FALSE(takes("follower.replication.throttled.replicas", "0-1"));
}

TEST(ConfigValue, voters_and_servers_are_addresses) {
  EXPECT_TRUE(takes("controller.quorum.voters", "1@localhost:9093,2@[::1]:9093"));
  EXPECT_TRUE(takes("controller.quorum.voters", ""));
  EXPECT_FALSE(takes("controller.quorum.voters", "localhost:9093"));
  EXPECT_FALSE(takes("controller.quorum.voters", "a@localhost:9093"));
  EXPECT_FALSE(takes("controller.quorum.bootstrap.servers", "localhost"));
  EXPECT_FALSE(takes("controller.quorum.bootstrap.servers", "local host:1"));
  EXPECT_TRUE(is_ipv4("0.0.0.0"));
  EXPECT_FALSE(is_ipv4("0.0.0"));
  EXPECT_FALSE(is_ipv4("1.2.3.4.5"));
  EXPECT_TRUE(is_ipv6("::1"));
}

TEST(ConfigValue, doubles_print_as_java_prints_them) {
  EXPECT_EQ(java_double_text(0.5), "0.5");
  EXPECT_EQ(java_double_text(1), "1.0");
  EXPECT_EQ(java_double_text(std::numeric_limits<double>::max()), "1.7976931348623157E308");
  EXPECT_EQ(java_double_text(2147483647), "2.147483647E9");
  EXPECT_EQ(java_double_text(0.0001), "1.0E-4");
  EXPECT_EQ(java_double_text(9999999), "9999999.0");
  EXPECT_EQ(java_double_text(-0.0), "-0.0");
  EXPECT_EQ(java_double_text(std::nan("")), "NaN");
}

TEST(ConfigValue, every_default_is_of_its_type_and_allowed) {
  for (const auto table :
       {ConfigTable::broker, ConfigTable::moldau, ConfigTable::topic, ConfigTable::group,
        ConfigTable::client_metrics, ConfigTable::user_client_quota, ConfigTable::ip_quota}) {
    for (const auto& each : config_keys(table)) {
      const auto value = default_config_value(each);
      if (!each.default_value) continue;
      EXPECT_EQ(config_value_text(value), *each.default_value) << each.name;
      EXPECT_TRUE(parse_config_value(each, *each.default_value)) << each.name;
    }
  }
}

TEST(IsoDuration, is_read_as_java_reads_it) {
  EXPECT_EQ(parse_iso_duration_ms("PT1H"), 3600000);
  EXPECT_EQ(parse_iso_duration_ms("P2DT3H4M5.5S"), 2 * 86400000 + 3 * 3600000 + 4 * 60000 + 5500);
  EXPECT_EQ(parse_iso_duration_ms("-PT1S"), -1000);
  EXPECT_EQ(parse_iso_duration_ms("pt1s"), 1000);
  for (const auto* bad :
       {"", "P", "PT", "P1", "1H", "P1H", "PT1D", "PT1S1H", "PT99999999999999999999S", "P1DT"})
    EXPECT_EQ(parse_iso_duration_ms(bad), std::nullopt) << bad;
  EXPECT_FALSE(takes("share.auto.offset.reset", "by_duration:-PT1H"));
  EXPECT_TRUE(takes("share.auto.offset.reset", "by_duration:PT1H"));
}

}  // namespace
}  // namespace moldau::metadata
