#include "metadata/config/config_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

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

// Levenshtein's, the whole table.
std::size_t distance_of(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cells(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j)
      cells[i][j] = i == 0 || j == 0 ? i + j : std::min({cells[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), cells[i - 1][j] + 1, cells[i][j - 1] + 1});
  return cells[a.size()][b.size()];
}

TEST(ConfigTables, no_key_is_nearer_than_the_one_that_is_named) {
  std::mt19937 random(1);
  const auto below = [&random](std::size_t end) { return random() % end; };
  const auto keys = config_keys(ConfigTable::broker);
  for (int round = 0; round < 40; ++round) {
    std::string name(keys[below(keys.size())].name);
    for (std::size_t changes = below(10); changes > 0 && name.size() > 1; --changes) {
      const auto at = static_cast<std::ptrdiff_t>(below(name.size()));
      if (below(2) == 0) name.erase(name.begin() + at);
      if (below(2) == 0) name.insert(name.begin() + at, static_cast<char>('a' + below(26)));
    }
    std::size_t nearest = std::min<std::size_t>(name.size() / 3, 8) + 1;  // further ones are no suggestion
    for (const auto table : {ConfigTable::moldau, ConfigTable::broker})
      for (const auto& key : config_keys(table))
        if (!key.internal) nearest = std::min(nearest, distance_of(name, key.name));
    const auto named = nearest_node_key(name);
    EXPECT_EQ(named.empty() ? std::min<std::size_t>(name.size() / 3, 8) + 1 : distance_of(name, named), nearest) << name << ", " << named;
  }
}

TEST(ConfigTables, keys_of_earlier_releases_are_remembered) {
  EXPECT_NE(find_removed_key("zookeeper.connect"), nullptr);
  EXPECT_EQ(find_removed_key("node.id"), nullptr);
  EXPECT_EQ(find_removed_key("super.users")->standing, Standing::unbuilt);
}

}  // namespace
}  // namespace moldau::metadata
