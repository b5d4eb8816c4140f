#include "groups/subscription.h"

#include <cstdint>

namespace moldau::groups {

bool add_subscribed_topics(ByteView metadata, std::set<std::string>& topics) {
  if (metadata.size() < 6) return false;
  if (load_be<int16_t>(metadata.data()) < 0) return false;
  const auto count = load_be<int32_t>(metadata.data() + 2);
  ByteView rest = metadata.subspan(6);
  if (count < 0 || static_cast<std::size_t>(count) > rest.size() / 2) return false;
  for (int32_t i = 0; i < count; ++i) {
    if (rest.size() < 2) return false;
    const auto length = load_be<int16_t>(rest.data());
    if (length < 0 || rest.size() - 2 < static_cast<std::size_t>(length)) return false;
    topics.emplace(as_text(rest.subspan(2, static_cast<std::size_t>(length))));
    rest = rest.subspan(2 + static_cast<std::size_t>(length));
  }
  // User data follows in every version; a subscription that ends before it is none.
  if (rest.size() < 4) return false;
  const auto user_data = load_be<int32_t>(rest.data());
  return user_data < 0 || rest.size() - 4 >= static_cast<std::size_t>(user_data);
}

}  // namespace moldau::groups
