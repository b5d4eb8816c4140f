#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "metadata/config/alter_configs.h"
#include "metadata/config/describe_configs.h"
#include "metadata/config/load_node_config.h"
#include "metadata/delta.h"

namespace moldau::metadata {
namespace {

using protocol::ErrorCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Fields = std::vector<std::string>;

Fields split_tabs(const std::string& line) {
  Fields fields(1);
  for (const char c : line) {
    if (c == '\t')
      fields.emplace_back();
    else
      fields.back().push_back(c);
  }
  return fields;
}

std::string shown(const std::optional<std::string>& text) { return text.value_or("\\N"); }
std::optional<std::string> read_text(const std::string& field) {
  if (field == "\\N") return std::nullopt;
  return field;
}

MetadataRecord topic_record(std::string name, int64_t id) {
  protocol::TopicRecord record;
  record.name = std::move(name);
  record.topic_id = Uuid{7, id};
  return {.message = std::move(record)};
}

MetadataRecord config_record(ResourceType type, std::string resource, std::string name,
                             std::optional<std::string> value) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<int8_t>(type);
  record.resource_name = std::move(resource);
  record.name = std::move(name);
  record.value = std::move(value);
  return {.message = std::move(record)};
}

// A cluster of one whose metadata changes by records alone.
struct Cluster {
  ConfigMap fixed;
  MetadataImagePtr image = std::make_shared<MetadataImage>();

  [[nodiscard]] ConfigContext context() const { return {.node_id = 1, .fixed = &fixed}; }

  void replay(const MetadataRecords& records) {
    MetadataDelta delta(image);
    for (const auto& record : records) {
      const auto applied = delta.apply(record);
      ASSERT_TRUE(applied) << applied.error();
    }
    image = delta.finish(image->offset + 1, LeaderEpoch(1), 0);
  }

  protocol::DescribeConfigsResponse describe(int8_t type, std::string name,
                                             std::vector<std::string> keys = {}) const {
    protocol::DescribeConfigsRequest request;
    request.include_synonyms = true;
    request.resources.push_back(
        {.resource_type = type, .resource_name = std::move(name), .configuration_keys = std::move(keys)});
    return describe_configs(request, context(), *image);
  }

  struct Op {
    int8_t operation;
    std::string key;
    std::optional<std::string> value;
  };
  AlteredConfigs<protocol::IncrementalAlterConfigsResponse> alter(int8_t type, std::string name,
                                                                  std::vector<Op> ops,
                                                                  bool validate_only = false) {
    protocol::IncrementalAlterConfigsRequest request;
    request.validate_only = validate_only;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = std::move(name);
    for (auto& op : ops)
      resource.configs.push_back({.name = op.key, .config_operation = op.operation, .value = op.value});
    auto altered = incremental_alter_configs(request, context(), *image);
    replay(altered.records);
    return altered;
  }
};

constexpr int8_t topic = 2, broker = 4, logger = 8, group = 32;
constexpr int8_t op_set = 0, op_delete = 1, op_append = 2, op_subtract = 3;

Cluster fresh_cluster() {
  Cluster cluster;
  protocol::FeatureLevelRecord elr;
  elr.name = eligible_leader_replicas_feature;
  elr.feature_level = 1;
  cluster.replay({{.message = elr},
                  config_record(ResourceType::broker, "", "min.insync.replicas", "1"),
                  topic_record("plain", 1),
                  topic_record("own", 2),
                  config_record(ResourceType::topic, "own", "cleanup.policy", "compact , delete"),
                  config_record(ResourceType::topic, "own", "retention.ms", " 1000 "),
                  config_record(ResourceType::topic, "own", "internal.segment.bytes", "4096"),
                  config_record(ResourceType::topic, "own", "preallocate", "TRUE"),
                  config_record(ResourceType::topic, "own", "min.cleanable.dirty.ratio", "0.25")});
  return cluster;
}

std::vector<std::string> lines_of(const protocol::DescribeConfigsResponse& response) {
  std::vector<std::string> lines;
  for (const auto& each : response.results[0].configs) {
    if (each.name.starts_with("moldau.")) continue;
    auto line =
        fmt::format("entry\t{}\t{}\t{}\t{}\t{}\t{}", each.name, shown(each.value), each.config_source,
                    each.config_type, static_cast<int>(each.is_sensitive), static_cast<int>(each.read_only));
    for (const auto& synonym : each.synonyms)
      line += fmt::format("\t{}\t{}\t{}", synonym.name, shown(synonym.value), synonym.source);
    lines.push_back(std::move(line));
  }
  return lines;
}

TEST(DescribeAndAlter, answer_as_apache_kafka_answered) {
  std::ifstream file(MOLDAU_SOURCE_DIR "/src/metadata/config/testdata/describe_and_alter.tsv");
  ASSERT_TRUE(file);
  auto cluster = fresh_cluster();
  cluster.fixed["broker.id"] = "1";
  std::vector<std::string> expected, got;
  int described = 0, altered = 0;
  const auto compare = [&] {
    std::ranges::sort(expected);
    std::ranges::sort(got);
    EXPECT_EQ(got.size(), expected.size());
    for (const auto& line : expected) EXPECT_TRUE(std::ranges::binary_search(got, line)) << "Kafka: " << line;
    for (const auto& line : got)
      EXPECT_TRUE(std::ranges::binary_search(expected, line)) << "Moldau: " << line;
    expected.clear();
    got.clear();
  };
  for (std::string line; std::getline(file, line);) {
    const auto fields = split_tabs(line);
    if (fields[0] == "entry") {
      expected.push_back(line);
      continue;
    }
    compare();
    if (fields[0] == "static") {
      cluster.fixed[fields[1]] = fields[2];
    } else if (fields[0] == "describe") {
      const auto response = cluster.describe(static_cast<int8_t>(std::stoi(fields[1])), fields[2]);
      EXPECT_EQ(response.results[0].error_code, std::stoi(fields[3])) << line;
      got = lines_of(response);
      ++described;
    } else if (fields[0] == "alter") {
      std::vector<Cluster::Op> ops;
      for (std::size_t i = 5; i + 2 < fields.size(); i += 3)
        ops.push_back({static_cast<int8_t>(std::stoi(fields[i])), fields[i + 1], read_text(fields[i + 2])});
      const auto outcome =
          cluster.alter(static_cast<int8_t>(std::stoi(fields[1])), fields[2], ops, fields[3] == "1");
      const auto& answer = outcome.response.responses[0];
      EXPECT_EQ(answer.error_code, std::stoi(fields[4])) << line << ": " << shown(answer.error_message);
      EXPECT_EQ(answer.error_message.has_value(), answer.error_code != 0) << line;
      ++altered;
    }
  }
  compare();
  EXPECT_GT(described, 15);
  EXPECT_GT(altered, 90);
}

TEST(DescribeConfigs, names_only_the_keys_that_were_asked_for) {
  auto cluster = fresh_cluster();
  EXPECT_THAT(lines_of(cluster.describe(topic, "plain", {"retention.ms", "no.such.key"})),
              ElementsAre(HasSubstr("retention.ms\t604800000")));
}

TEST(DescribeConfigs, every_entry_of_a_broker_has_moldaus_own_keys_too) {
  auto cluster = fresh_cluster();
  const auto response = cluster.describe(broker, "1", {"moldau.shards", "moldau.http.listener"});
  ASSERT_EQ(response.results[0].configs.size(), 2U);
  EXPECT_EQ(response.results[0].configs[0].value, "127.0.0.1:9644");
  EXPECT_EQ(response.results[0].configs[1].value, std::nullopt);
}

TEST(DescribeConfigs, another_broker_or_a_resource_type_that_is_none_is_an_invalid_request) {
  auto cluster = fresh_cluster();
  for (const auto& [type, name] : std::vector<std::pair<int8_t, std::string>>{
           {broker, "2"}, {broker, "x"}, {logger, ""}, {logger, "2"}, {1, "x"}, {64, "x"}, {group, ""}}) {
    const auto response = cluster.describe(type, name);
    EXPECT_EQ(response.results[0].error_code, static_cast<int16_t>(ErrorCode::invalid_request))
        << int{type} << name;
    EXPECT_NE(response.results[0].error_message, "");
  }
}

TEST(AlterConfigs, a_setting_that_does_not_change_leaves_no_record_but_for_brokers) {
  auto cluster = fresh_cluster();
  EXPECT_EQ(cluster.alter(topic, "plain", {{op_set, "retention.ms", "5"}}).records.size(), 1U);
  EXPECT_EQ(cluster.alter(topic, "plain", {{op_set, "retention.ms", "5"}}).records.size(), 0U);
  EXPECT_EQ(cluster.alter(topic, "plain", {{op_delete, "retention.bytes", std::nullopt}}).records.size(), 0U);
  EXPECT_EQ(cluster.alter(broker, "", {{op_set, "message.max.bytes", "5"}}).records.size(), 1U);
  EXPECT_EQ(cluster.alter(broker, "", {{op_set, "message.max.bytes", "5"}}).records.size(), 1U);
}

TEST(AlterConfigs, one_refused_setting_refuses_the_resource_and_leaves_the_others) {
  auto cluster = fresh_cluster();
  protocol::IncrementalAlterConfigsRequest request;
  for (const auto* name : {"plain", "own"}) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = topic;
    resource.resource_name = name;
    resource.configs.push_back({.name = "retention.ms", .config_operation = op_set, .value = "5"});
  }
  request.resources[0].configs.push_back({.name = "segment.bytes", .config_operation = op_set, .value = "5"});
  const auto altered = incremental_alter_configs(request, cluster.context(), *cluster.image);
  EXPECT_EQ(altered.records.size(), 1U);
  EXPECT_EQ(altered.response.responses[0].error_code, static_cast<int16_t>(ErrorCode::invalid_config));
  EXPECT_THAT(*altered.response.responses[0].error_message, HasSubstr("1048576"));
  EXPECT_EQ(altered.response.responses[1].error_code, 0);
}

TEST(AlterConfigs, a_resource_or_a_key_that_stands_there_twice_is_refused) {
  auto cluster = fresh_cluster();
  EXPECT_EQ(cluster.alter(topic, "plain", {{op_set, "retention.ms", "5"}, {op_set, "retention.ms", "6"}})
                .response.responses[0]
                .error_code,
            static_cast<int16_t>(ErrorCode::invalid_request));
  protocol::IncrementalAlterConfigsRequest request;
  for (int i = 0; i < 2; ++i) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = topic;
    resource.resource_name = "plain";
  }
  for (const auto& each :
       incremental_alter_configs(request, cluster.context(), *cluster.image).response.responses)
    EXPECT_EQ(each.error_code, static_cast<int16_t>(ErrorCode::invalid_request));
}

TEST(AlterConfigs, append_and_subtract_change_lists) {
  auto cluster = fresh_cluster();
  cluster.alter(topic, "plain", {{op_append, "cleanup.policy", "compact"}});
  EXPECT_EQ(cluster.image->find_configs(ResourceType::topic, "plain").at("cleanup.policy"), "delete,compact");
  cluster.alter(topic, "plain", {{op_subtract, "cleanup.policy", "delete,nothing"}});
  EXPECT_EQ(cluster.image->find_configs(ResourceType::topic, "plain").at("cleanup.policy"), "compact");
}

TEST(AlterConfigs, the_legacy_request_replaces_everything) {
  auto cluster = fresh_cluster();
  protocol::AlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = topic;
  resource.resource_name = "own";
  resource.configs.push_back({.name = "retention.ms", .value = "7"});
  const auto altered = alter_configs(request, cluster.context(), *cluster.image);
  EXPECT_EQ(altered.response.responses[0].error_code, 0);
  cluster.replay(altered.records);
  EXPECT_EQ(cluster.image->find_configs(ResourceType::topic, "own"), (ConfigMap{{"retention.ms", "7"}}));
  request.resources[0].resource_type = logger;
  EXPECT_EQ(alter_configs(request, cluster.context(), *cluster.image).response.responses[0].error_code,
            static_cast<int16_t>(ErrorCode::invalid_request));
}

TEST(AlterConfigs, validating_only_leaves_no_records) {
  auto cluster = fresh_cluster();
  EXPECT_TRUE(cluster.alter(topic, "plain", {{op_set, "retention.ms", "5"}}, true).records.empty());
}

TEST(AlterConfigs, what_is_not_built_cannot_be_switched_on_while_running) {
  auto cluster = fresh_cluster();
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"listener.name.plaintext.ssl.keystore.location", "/k"},
           {"sasl.enabled.mechanisms", "PLAIN"},
           {"listeners", "PLAINTEXT://:1"}})
    EXPECT_EQ(cluster.alter(broker, "1", {{op_set, key, value}}).response.responses[0].error_code,
              static_cast<int16_t>(ErrorCode::invalid_request))
        << key;
}

TEST(AlterConfigs, the_log_level_goes_to_the_caller_and_not_into_records) {
  auto cluster = fresh_cluster();
  const auto altered = cluster.alter(logger, "1", {{op_set, "root", "DEBUG"}});
  EXPECT_EQ(altered.log_level, "DEBUG");
  EXPECT_TRUE(altered.records.empty());
  EXPECT_EQ(cluster.alter(logger, "1", {{op_set, "root", "LOUD"}}).response.responses[0].error_code,
            static_cast<int16_t>(ErrorCode::invalid_config));
  EXPECT_EQ(cluster.alter(logger, "1", {{op_delete, "root", ""}}).response.responses[0].error_code,
            static_cast<int16_t>(ErrorCode::invalid_request));
  EXPECT_EQ(cluster.alter(logger, "1", {{op_set, "kafka", "INFO"}}).response.responses[0].error_code,
            static_cast<int16_t>(ErrorCode::invalid_config));
}

TEST(CheckNewTopic, says_what_is_wrong_with_the_overrides) {
  auto cluster = fresh_cluster();
  EXPECT_EQ(check_new_topic({{"retention.ms", "5"}}, cluster.context(), *cluster.image), std::nullopt);
  const auto error = check_new_topic({{"retention.ms", "x"}}, cluster.context(), *cluster.image);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::invalid_config);
  const auto configs = describe_new_topic({{"retention.ms", "5"}}, cluster.context(), *cluster.image);
  EXPECT_EQ(configs.size(), 33U);
}

TEST(ListConfigResources, lists_what_there_is_by_type) {
  auto cluster = fresh_cluster();
  cluster.replay({config_record(ResourceType::group, "g", "consumer.session.timeout.ms", "50000"),
                  config_record(ResourceType::client_metrics, "m", "interval.ms", "1000")});
  protocol::ListConfigResourcesRequest request;
  const auto names = [&](int16_t version) {
    std::vector<std::string> out;
    for (const auto& each : list_config_resources(request, version, *cluster.image).config_resources)
      out.push_back(fmt::format("{}:{}", each.resource_type, each.resource_name));
    return out;
  };
  EXPECT_THAT(names(1), ElementsAre("32:g", "16:m", "2:own", "2:plain"));
  EXPECT_THAT(names(0), ElementsAre("16:m"));
  request.resource_types = {topic};
  EXPECT_THAT(names(1), ElementsAre("2:own", "2:plain"));
  request.resource_types = {1};
  EXPECT_EQ(list_config_resources(request, 1, *cluster.image).error_code,
            static_cast<int16_t>(ErrorCode::unsupported_version));
}

}  // namespace
}  // namespace moldau::metadata
