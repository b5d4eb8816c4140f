#include "controller/replica_placement.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace moldau::controller {

namespace {

using Random = std::function<uint64_t()>;

void shuffle(auto& values, const Random& random) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random() % i]);
}

// Brokers given out round-robin: once each in a turn, every turn beginning one further on.
class Ring {
 public:
  void add(int32_t broker) { brokers_.push_back(broker); }
  void begin_anywhere(const Random& random) {
    std::ranges::sort(brokers_);
    if (!brokers_.empty()) offset_ = random() % brokers_.size();
  }
  void shuffle_with(const Random& random) { shuffle(brokers_, random); }
  std::optional<int32_t> next(size_t turn) {
    if (brokers_.empty()) return std::nullopt;
    if (turn_ != turn) {
      turn_ = turn;
      given_ = 0;
      offset_ = (offset_ + 1) % brokers_.size();
    }
    if (given_ >= brokers_.size()) return std::nullopt;
    return brokers_[(given_++ + offset_) % brokers_.size()];
  }

 private:
  std::vector<int32_t> brokers_;
  size_t given_ = 0;
  size_t offset_ = 0;
  size_t turn_ = 0;
};

struct Rack {
  Ring unfenced;
  Ring fenced;
  std::optional<int32_t> next(size_t turn) {
    if (const auto broker = unfenced.next(turn)) return broker;
    return fenced.next(turn);
  }
};

class Racks {
 public:
  Racks(const std::vector<UsableBroker>& brokers, const Random& random) : random_(random) {
    std::map<std::optional<std::string>, Rack> by_name;
    for (const UsableBroker& broker : brokers) {
      Rack& rack = by_name[broker.rack];
      (broker.fenced ? rack.fenced : rack.unfenced).add(broker.id);
      if (!broker.fenced) ++unfenced_;
    }
    for (auto& [name, rack] : by_name) {
      rack.fenced.begin_anywhere(random_);
      rack.unfenced.begin_anywhere(random_);
      racks_.push_back(std::move(rack));
    }
    if (!racks_.empty()) offset_ = random_() % racks_.size();
  }

  std::vector<int32_t> place(size_t replication_factor) {
    if (turn_ == unfenced_ && unfenced_ > 1) {
      shuffle(racks_, random_);
      for (Rack& rack : racks_) {
        rack.fenced.shuffle_with(random_);
        rack.unfenced.shuffle_with(random_);
      }
      turn_ = 0;
    }
    if (offset_ == racks_.size()) offset_ = 0;
    std::vector<int32_t> replicas;
    size_t leaders_rack = offset_;
    std::optional<int32_t> leader;
    while (!(leader = racks_[leaders_rack].unfenced.next(turn_))) leaders_rack = (leaders_rack + 1) % racks_.size();
    replicas.push_back(*leader);

    // The other replicas come rack by rack; the leader's own rack is passed over the first time.
    size_t rack = offset_;
    bool passed_leaders_rack = false;
    while (replicas.size() < replication_factor) {
      if (rack == leaders_rack && !passed_leaders_rack) {
        passed_leaders_rack = true;
      } else if (const auto broker = racks_[rack].next(turn_)) {
        replicas.push_back(*broker);
      }
      rack = (rack + 1) % racks_.size();
    }
    ++turn_;
    ++offset_;
    return replicas;
  }

 private:
  const Random& random_;
  std::vector<Rack> racks_;
  size_t unfenced_ = 0;
  size_t turn_ = 0;
  size_t offset_ = 0;
};

}  // namespace

result<std::vector<std::vector<int32_t>>, std::string> place_replicas(const std::vector<UsableBroker>& brokers,
                                                                      int32_t partitions, int16_t replication_factor,
                                                                      const Random& random) {
  if (replication_factor <= 0)
    return fail(fmt::format("Invalid replication factor {}: the replication factor must be positive.",
                            replication_factor));
  if (std::ranges::all_of(brokers, &UsableBroker::fenced))
    return fail(std::string("All brokers are currently fenced, or have all their log directories cordoned."));
  if (static_cast<size_t>(replication_factor) > brokers.size())
    return fail(fmt::format("The target replication factor of {} cannot be reached because only {} broker(s) are "
                            "registered or some brokers have all their log directories cordoned.",
                            replication_factor, brokers.size()));
  Racks racks(brokers, random);
  std::vector<std::vector<int32_t>> placed;
  for (int32_t i = 0; i < partitions; ++i) placed.push_back(racks.place(static_cast<size_t>(replication_factor)));
  return placed;
}

}  // namespace moldau::controller
