// An ordered map whose copies share structure: copying is one reference count, a change copies one path from the root.
//
// The sections of the metadata image are such maps, so that an image of ten thousand topics costs a few hundred bytes
// more than the one before it. A node is never written once another map can see it; different threads may read and
// change their own copies at the same time. An AVL tree: the height stays below 1.45 log2(size).
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace moldau::metadata {

template <class Key, class Value, class Less = std::less<>>
class PersistentMap {
  struct Node;
  using NodePtr = std::shared_ptr<const Node>;
  struct Node {
    std::pair<const Key, Value> entry;
    NodePtr left;
    NodePtr right;
    int height;
    Node(std::pair<const Key, Value> e, NodePtr l, NodePtr r)
        : entry(std::move(e)), left(std::move(l)), right(std::move(r)),
          height(1 + std::max(height_of(left), height_of(right))) {}
  };

 public:
  using key_type = Key;
  using mapped_type = Value;
  using value_type = std::pair<const Key, Value>;

  // In key order. Valid as long as the map that gave it, unchanged, or a copy of that.
  class const_iterator {
   public:
    using value_type = PersistentMap::value_type;
    using difference_type = std::ptrdiff_t;
    using reference = const value_type&;
    using pointer = const value_type*;
    using iterator_category = std::forward_iterator_tag;

    const_iterator() = default;
    reference operator*() const { return path_.back()->entry; }
    pointer operator->() const { return &path_.back()->entry; }
    const_iterator& operator++() {
      const Node* node = path_.back();
      path_.pop_back();
      descend_left(node->right.get());
      return *this;
    }
    const_iterator operator++(int) {
      const_iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const const_iterator& a, const const_iterator& b) {
      return a.top() == b.top();
    }

   private:
    friend class PersistentMap;
    [[nodiscard]] const Node* top() const { return path_.empty() ? nullptr : path_.back(); }
    void descend_left(const Node* node) {
      for (; node != nullptr; node = node->left.get()) path_.push_back(node);
    }
    std::vector<const Node*> path_;  // what is still to be visited, the next one last
  };
  using iterator = const_iterator;

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // Null if there is no such key. The value lives as long as a map that holds it.
  template <class Lookup>
  [[nodiscard]] const Value* find(const Lookup& key) const {
    const Node* node = root_.get();
    while (node != nullptr) {
      if (Less{}(key, node->entry.first)) {
        node = node->left.get();
      } else if (Less{}(node->entry.first, key)) {
        node = node->right.get();
      } else {
        return &node->entry.second;
      }
    }
    return nullptr;
  }
  template <class Lookup>
  [[nodiscard]] bool contains(const Lookup& key) const {
    return find(key) != nullptr;
  }

  // Gives false if the key was there and now has this value instead.
  bool insert_or_assign(Key key, Value value) {
    bool is_new = true;
    root_ = inserted(root_, {std::move(key), std::move(value)}, is_new);
    if (is_new) ++size_;
    return is_new;
  }
  template <class Lookup>
  bool erase(const Lookup& key) {
    if (!contains(key)) return false;
    root_ = erased(root_, key);
    --size_;
    return true;
  }
  void clear() {
    root_.reset();
    size_ = 0;
  }

  [[nodiscard]] const_iterator begin() const {
    const_iterator at;
    at.descend_left(root_.get());
    return at;
  }
  [[nodiscard]] const_iterator end() const { return {}; }
  // The first entry whose key is not less than this.
  template <class Lookup>
  [[nodiscard]] const_iterator lower_bound(const Lookup& key) const {
    const_iterator at;
    for (const Node* node = root_.get(); node != nullptr;) {
      if (Less{}(node->entry.first, key)) {
        node = node->right.get();
      } else {
        at.path_.push_back(node);
        node = node->left.get();
      }
    }
    return at;
  }

  // Whether both are the same tree; false says nothing.
  [[nodiscard]] bool shares_all_with(const PersistentMap& other) const { return root_ == other.root_; }
  [[nodiscard]] int height() const { return height_of(root_); }

  friend bool operator==(const PersistentMap& a, const PersistentMap& b) {
    return a.root_ == b.root_ || (a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin()));
  }

 private:
  static int height_of(const NodePtr& node) { return node ? node->height : 0; }

  static NodePtr node_of(const value_type& entry, NodePtr left, NodePtr right) {
    return std::make_shared<const Node>(entry, std::move(left), std::move(right));
  }
  static NodePtr balanced(const value_type& entry, NodePtr left, NodePtr right) {
    const int lean = height_of(left) - height_of(right);
    if (lean > 1) {
      if (height_of(left->left) >= height_of(left->right))
        return node_of(left->entry, left->left, node_of(entry, left->right, std::move(right)));
      const NodePtr middle = left->right;
      return node_of(middle->entry, node_of(left->entry, left->left, middle->left),
                     node_of(entry, middle->right, std::move(right)));
    }
    if (lean < -1) {
      if (height_of(right->right) >= height_of(right->left))
        return node_of(right->entry, node_of(entry, std::move(left), right->left), right->right);
      const NodePtr middle = right->left;
      return node_of(middle->entry, node_of(entry, std::move(left), middle->left),
                     node_of(right->entry, middle->right, right->right));
    }
    return node_of(entry, std::move(left), std::move(right));
  }
  static NodePtr inserted(const NodePtr& node, value_type&& entry, bool& is_new) {
    if (!node) return std::make_shared<const Node>(std::move(entry), nullptr, nullptr);
    if (Less{}(entry.first, node->entry.first))
      return balanced(node->entry, inserted(node->left, std::move(entry), is_new), node->right);
    if (Less{}(node->entry.first, entry.first))
      return balanced(node->entry, node->left, inserted(node->right, std::move(entry), is_new));
    is_new = false;
    return std::make_shared<const Node>(std::move(entry), node->left, node->right);
  }
  template <class Lookup>
  static NodePtr erased(const NodePtr& node, const Lookup& key) {
    if (Less{}(key, node->entry.first)) return balanced(node->entry, erased(node->left, key), node->right);
    if (Less{}(node->entry.first, key)) return balanced(node->entry, node->left, erased(node->right, key));
    if (!node->left) return node->right;
    if (!node->right) return node->left;
    const Node* next = node->right.get();
    while (next->left) next = next->left.get();
    return balanced(next->entry, node->left, without_first(node->right));
  }
  static NodePtr without_first(const NodePtr& node) {
    if (!node->left) return node->right;
    return balanced(node->entry, without_first(node->left), node->right);
  }

  NodePtr root_;
  size_t size_ = 0;
};

}  // namespace moldau::metadata
