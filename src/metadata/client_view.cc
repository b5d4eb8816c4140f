#include "metadata/client_view.h"

namespace moldau::metadata {

const Endpoint* visible_endpoint(const MetadataImage& image, int32_t broker, std::string_view listener) {
  const Broker* found = image.find_broker(broker);
  return found == nullptr ? nullptr : found->find_endpoint(listener);
}

bool is_visible(const MetadataImage& image, int32_t broker, std::string_view listener) {
  const Broker* found = image.find_broker(broker);
  return found != nullptr && !found->fenced && found->find_endpoint(listener) != nullptr;
}

int32_t visible_controller(const MetadataImage& image, const ClientView& view) {
  if (is_visible(image, view.node_id, view.listener)) return view.node_id;
  for (const auto& [id, broker] : image.brokers)
    if (is_visible(image, id, view.listener)) return id;
  return -1;
}

std::vector<int32_t> offline_replicas(const MetadataImage& image, const Partition& partition,
                                      std::string_view listener) {
  std::vector<int32_t> offline;
  for (size_t i = 0; i < partition.replicas.size(); ++i) {
    const int32_t replica = partition.replicas[i];
    const bool has_directory =
        i >= partition.directories.size() ||
        (image.find_broker(replica) != nullptr && image.find_broker(replica)->has_online_directory(partition.directories[i]));
    if (!is_visible(image, replica, listener) || !has_directory) offline.push_back(replica);
  }
  return offline;
}

}  // namespace moldau::metadata
