// Which names a topic may have, and which two names are too alike to stand side by side.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moldau::protocol {

inline constexpr size_t topic_name_max_length = 249;

// Why the name is not one, as Kafka says it in an INVALID_TOPIC_EXCEPTION; null for a name that is.
[[nodiscard]] std::optional<std::string> invalid_topic_name(std::string_view name);

// A metric's name has `_` for `.`, so names that differ only there collide.
[[nodiscard]] bool has_collision_characters(std::string_view name);
[[nodiscard]] bool do_topic_names_collide(std::string_view a, std::string_view b);

// Topics that only the brokers themselves write: __consumer_offsets, __transaction_state, __share_group_state.
[[nodiscard]] bool is_internal_topic(std::string_view name);

}  // namespace moldau::protocol
