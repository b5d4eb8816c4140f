// Which names a topic may have, and which two names cannot stand side by side (metrics cannot tell '.' from '_').
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "metadata/image.h"

namespace moldau::metadata {

inline constexpr std::size_t topic_name_max_length = 249;
inline constexpr std::string_view cluster_metadata_topic = "__cluster_metadata";

// Why this cannot be a topic's name, a sentence; null if it can: 1 to 249 of a-z A-Z 0-9 . _ -, and not . or
// .. alone.
[[nodiscard]] std::optional<std::string> topic_name_problem(std::string_view name);

// Topics of the group, transaction and share coordinators.
[[nodiscard]] bool is_internal_topic(std::string_view name);

[[nodiscard]] bool has_collision_characters(std::string_view name);
// Every '.' as '_': names that agree in this collide.
[[nodiscard]] std::string unified_topic_name(std::string_view name);
// An existing topic, other than one of this very name, with which the name would collide.
[[nodiscard]] std::optional<std::string> colliding_topic(const MetadataImage& image, std::string_view name);

}  // namespace moldau::metadata
