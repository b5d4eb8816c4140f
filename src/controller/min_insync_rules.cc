#include "controller/min_insync_rules.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace moldau::controller {

using metadata::ResourceType;

namespace {

constexpr std::string_view min_insync_key = "min.insync.replicas";
constexpr std::string_view unclean_key = "unclean.leader.election.enable";

const std::string* effective_value(const metadata::MetadataImage& image, std::string_view topic, std::string_view key) {
  const auto& own = image.find_configs(ResourceType::topic, topic);
  if (const auto found = own.find(key); found != own.end()) return &found->second;
  const auto& cluster = image.find_configs(ResourceType::broker, "");
  if (const auto found = cluster.find(key); found != cluster.end()) return &found->second;
  return nullptr;
}

}  // namespace

int32_t effective_min_insync_replicas(const metadata::MetadataImage& image, std::string_view topic, int32_t fallback) {
  const std::string* text = effective_value(image, topic, min_insync_key);
  if (text == nullptr) return fallback;
  int32_t value = fallback;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  return error == std::errc{} && end == text->data() + text->size() ? value : fallback;
}

bool effective_unclean_leader_election(const metadata::MetadataImage& image, std::string_view topic, bool fallback) {
  const std::string* text = effective_value(image, topic, unclean_key);
  return text == nullptr ? fallback : *text == "true";
}

metadata::MetadataRecord cluster_min_insync_record(int32_t value) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<int8_t>(ResourceType::broker);
  record.name = min_insync_key;
  record.value = fmt::format("{}", value);
  return {std::move(record), 0};
}

void add_elr_clearing(const metadata::MetadataImage& image, metadata::MetadataRecords& records) {
  if (image.feature_level(metadata::eligible_leader_replicas_feature) == 0) return;
  std::set<std::string> topics;
  bool all = false;
  for (const metadata::MetadataRecord& record : records) {
    const auto* config = std::get_if<protocol::ConfigRecord>(&record.message);
    if (config == nullptr || config->name != min_insync_key) continue;
    if (config->resource_type == static_cast<int8_t>(ResourceType::topic)) topics.insert(config->resource_name);
    if (config->resource_type == static_cast<int8_t>(ResourceType::broker)) all = true;
  }
  if (all) topics = {""};
  for (const std::string& topic : topics) {
    protocol::ClearElrRecord record;
    record.topic_name = topic;
    records.push_back({std::move(record), 0});
  }
}

}  // namespace moldau::controller
