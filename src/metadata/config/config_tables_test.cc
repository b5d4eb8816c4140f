#include "metadata/config/config_tables.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace moldau::metadata {
namespace {

int keys_of_kafka(ConfigTable table) {
  return static_cast<int>(std::ranges::count_if(config_keys(table), [](const ConfigKey& key) { return !key.name.starts_with("moldau."); }));
}

TEST(ConfigTables, hold_every_key_of_4_3) {
  EXPECT_EQ(keys_of_kafka(ConfigTable::broker), 360);
  EXPECT_EQ(keys_of_kafka(ConfigTable::topic), 34);
  EXPECT_EQ(keys_of_kafka(ConfigTable::group), 17);
  EXPECT_EQ(keys_of_kafka(ConfigTable::client_metrics), 3);
}

TEST(ConfigTables, a_key_carries_what_the_schema_says) {
  const auto* key = find_node_key("log.segment.bytes");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->type, ConfigType::int_);
  EXPECT_EQ(key->default_value, "1073741824");
  EXPECT_EQ(key->allowed.kind, Allowed::Kind::range);
  EXPECT_EQ(key->allowed.minimum, 1048576);
  EXPECT_EQ(key->update_mode, UpdateMode::cluster_wide);
  const auto* retention = find_config_key(ConfigTable::topic, "retention.ms");
  ASSERT_EQ(retention->broker_keys.size(), 3U);
  EXPECT_EQ(retention->broker_keys[2].name, "log.retention.hours");
  EXPECT_EQ(retention->broker_keys[2].unit, TimeUnit::hours);
}

TEST(ConfigTables, every_broker_key_that_gives_a_default_exists) {
  for (const auto table : {ConfigTable::topic, ConfigTable::group})
    for (const auto& key : config_keys(table))
      for (const auto& broker : key.broker_keys)
        EXPECT_NE(find_node_key(broker.name), nullptr) << broker.name;
}

TEST(ConfigTables, a_listeners_prefix_is_seen_through) {
  ASSERT_NE(find_node_key("listener.name.internal.num.network.threads"), nullptr);
  EXPECT_EQ(find_node_key("listener.name.internal.num.network.threads")->name, "num.network.threads");
  EXPECT_EQ(find_node_key("listener.name.sasl.plain.sasl.jaas.config")->name, "sasl.jaas.config");
  EXPECT_EQ(find_node_key("listener.name."), nullptr);
  EXPECT_EQ(find_node_key("listener.name.x.nothing"), nullptr);
}

TEST(ConfigTables, a_mistyped_key_finds_its_neighbour) {
  EXPECT_EQ(nearest_node_key("log.retention.hour"), "log.retention.hours");
  EXPECT_EQ(nearest_node_key("moldau.shard"), "moldau.shards");
  EXPECT_EQ(nearest_node_key("completely.unrelated.thing.here"), "");
}

TEST(ConfigTables, keys_of_earlier_releases_are_remembered) {
  EXPECT_NE(find_removed_key("zookeeper.connect"), nullptr);
  EXPECT_EQ(find_removed_key("node.id"), nullptr);
  EXPECT_EQ(find_removed_key("super.users")->standing, Standing::unbuilt);
}

}  // namespace
}  // namespace moldau::metadata
