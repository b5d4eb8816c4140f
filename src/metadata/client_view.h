// What the answers to Metadata, DescribeTopicPartitions and DescribeCluster need beside an image: who asks, through which
// listener, and what they may do. Plain data.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "metadata/client_access.h"
#include "metadata/image.h"

namespace moldau::metadata {

struct ClientView {
  std::string_view listener;    // brokers and leaders are given with their endpoint on it
  std::string_view cluster_id;
  int32_t node_id = -1;         // this broker: named as controller where it is listed
  int16_t version = 0;          // of the API
  const ClientAccess& access;
};

// Operations that nobody asked for.
inline constexpr int32_t operations_not_asked = std::numeric_limits<int32_t>::min();

// The broker to which a client sends what is for the controller: always one that it can see. Clients refuse an id that
// is not among the brokers (KIP-590); -1 if there is none.
[[nodiscard]] int32_t visible_controller(const MetadataImage& image, const ClientView& view);

// The endpoint of a broker that is there on the client's listener, whether or not it is fenced; null if it has none.
[[nodiscard]] const Endpoint* visible_endpoint(const MetadataImage& image, int32_t broker, std::string_view listener);
// Unfenced and on this listener.
[[nodiscard]] bool is_visible(const MetadataImage& image, int32_t broker, std::string_view listener);

// Replicas on brokers that are gone, fenced, not on this listener or whose directory failed.
[[nodiscard]] std::vector<int32_t> offline_replicas(const MetadataImage& image, const Partition& partition,
                                                    std::string_view listener);

}  // namespace moldau::metadata
