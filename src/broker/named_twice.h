// Things that a request names more than once. Kafka refuses them for that, before it asks who may touch them.
#pragma once

#include <map>
#include <utility>

namespace moldau::broker {

template <class Key>
class NamedTwice {
 public:
  // `key_of` gives what must be named once.
  template <class Things, class KeyOf>
  NamedTwice(const Things& things, KeyOf key_of) {
    for (const auto& thing : things) ++times_[key_of(thing)];
  }
  [[nodiscard]] bool contains(const Key& key) const {
    const auto found = times_.find(key);
    return found != times_.end() && found->second > 1;
  }

 private:
  std::map<Key, int> times_;
};

}  // namespace moldau::broker
