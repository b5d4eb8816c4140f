#include "metadata/image.h"

#include <algorithm>

#include "base/assert.h"

namespace moldau::metadata {

namespace {

// shared_ptrs compare by where they point; images compare by what is there.
template <class Key, class Value>
bool same_values(const PersistentMap<Key, std::shared_ptr<const Value>>& a,
                 const PersistentMap<Key, std::shared_ptr<const Value>>& b) {
  if (a.shares_all_with(b)) return true;
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return x.first == y.first && (x.second == y.second || *x.second == *y.second);
         });
}

}  // namespace

const Partition* Topic::find(int32_t index) const {
  if (index >= 0 && static_cast<size_t>(index) < partitions.size() &&
      partitions[static_cast<size_t>(index)].index == index)
    return &partitions[static_cast<size_t>(index)];
  const auto at = std::ranges::lower_bound(partitions, index, {}, &Partition::index);
  return at != partitions.end() && at->index == index ? &*at : nullptr;
}

const Endpoint* Broker::find_endpoint(std::string_view listener) const {
  const auto found = std::ranges::find(endpoints, listener, &Endpoint::name);
  return found == endpoints.end() ? nullptr : &*found;
}

bool Broker::has_online_directory(const Uuid& directory) const {
  if (directory == unassigned_directory || directory == migrating_directory) return true;
  if (directory == lost_directory) return false;
  if (log_dirs.empty()) return true;  // registered at a metadata version that knows no directories
  return std::ranges::find(log_dirs, directory) != log_dirs.end();
}

const Topic* MetadataImage::find_topic(std::string_view name) const {
  const TopicPtr* found = topics_by_name.find(name);
  return found == nullptr ? nullptr : found->get();
}

const Topic* MetadataImage::find_topic(const Uuid& id) const {
  const TopicPtr* found = topics_by_id.find(id);
  return found == nullptr ? nullptr : found->get();
}

const Broker* MetadataImage::find_broker(int32_t id) const {
  const auto* found = brokers.find(id);
  return found == nullptr ? nullptr : found->get();
}

bool MetadataImage::is_active(int32_t broker) const {
  const Broker* found = find_broker(broker);
  return found != nullptr && !found->fenced && !found->in_controlled_shutdown;
}

const ConfigMap& MetadataImage::find_configs(const ConfigResource& resource) const {
  static const ConfigMap none;
  const auto* found = configs.find(resource);
  return found == nullptr ? none : **found;
}

const ConfigMap& MetadataImage::find_configs(ResourceType type, std::string_view name) const {
  return find_configs(ConfigResource{type, std::string(name)});
}

int16_t MetadataImage::feature_level(std::string_view name) const {
  if (name == kraft_version_feature) return kraft_version;
  const int16_t* level = features.find(name);
  return level == nullptr ? int16_t{0} : *level;
}

const MetadataVersion& MetadataImage::metadata_version() const {
  const MetadataVersion* version = find_metadata_version(feature_level(metadata_version_feature));
  if (version == nullptr) version = find_metadata_version(minimum_metadata_version);
  MOLDAU_ASSERT(version != nullptr);
  return *version;
}

bool same_content(const MetadataImage& a, const MetadataImage& b) {
  return a.features == b.features && a.kraft_version == b.kraft_version &&
         a.zk_migration_state == b.zk_migration_state && same_values(a.brokers, b.brokers) &&
         same_values(a.controllers, b.controllers) && same_values(a.topics_by_name, b.topics_by_name) &&
         same_values(a.topics_by_id, b.topics_by_id) && a.partition_count == b.partition_count &&
         same_values(a.configs, b.configs) && a.client_quotas == b.client_quotas &&
         a.next_producer_id == b.next_producer_id && a.acls == b.acls &&
         a.scram_credentials == b.scram_credentials && a.delegation_tokens == b.delegation_tokens;
}

}  // namespace moldau::metadata
