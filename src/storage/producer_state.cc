#include "storage/producer_state.h"

#include <algorithm>

#include "base/assert.h"

namespace moldau::storage {

const ProducerEntry* ProducerState::find(ProducerId id) const {
  const auto found = producers_.find(id);
  return found == producers_.end() ? nullptr : &found->second;
}

ProducerAppend ProducerState::prepare(ProducerId id, AppendOrigin origin) const {
  ProducerAppend append;
  append.producer_id = id;
  append.origin = origin;
  if (const ProducerEntry* known = find(id)) append.current = *known;
  append.updated = append.current;
  append.updated.batch_count = 0;
  if (const auto verification = verifications_.find(id); verification != verifications_.end())
    append.verification = verification->second;
  return append;
}

void ProducerState::put(ProducerId id, const ProducerEntry& entry) {
  const auto [at, is_new] = producers_.insert_or_assign(id, entry);
  if (!is_new) return;
  at->second.inserted = ++insertions_;
  // A Java hash map doubles when it is three quarters full and never shrinks.
  while (producers_.size() > java_table_size_ / 4 * 3) java_table_size_ *= 2;
}

void ProducerState::apply(const ProducerAppend& append) {
  const auto found = producers_.find(append.producer_id);
  if (found == producers_.end()) {
    put(append.producer_id, append.updated);
  } else {
    ProducerEntry& entry = found->second;
    entry.set_epoch(append.updated.epoch);
    for (size_t i = 0; i < append.updated.batch_count; ++i) entry.add_batch(append.updated.batches[i]);
    entry.coordinator_epoch = append.updated.coordinator_epoch;
    entry.transaction_first_offset = append.updated.transaction_first_offset;
    entry.last_timestamp_ms = append.updated.last_timestamp_ms;
  }
  for (const Offset first : append.started_transactions) ongoing_[first] = {append.producer_id};
}

void ProducerState::complete(const CompletedTransaction& completed) {
  const auto open = ongoing_.find(completed.first_offset);
  MOLDAU_ASSERT_MSG(open != ongoing_.end(), "a transaction that ends was open");
  Transaction ended = open->second;
  ongoing_.erase(open);
  ended.last_offset = completed.last_offset;
  unreplicated_[completed.first_offset] = ended;
}

Offset ProducerState::last_stable_offset(const CompletedTransaction& completed) const {
  // A follower's append may hold what came behind the marker as well, which was not there yet. (Apache Kafka notes that, and
  // a reader who finds it in the index looks no further.)
  for (const auto& [first, open] : ongoing_)
    if (open.producer_id != completed.producer_id) return std::min(first, completed.last_offset + 1);
  return completed.last_offset + 1;
}

std::optional<Offset> ProducerState::first_unstable_offset() const {
  std::optional<Offset> first;
  if (!ongoing_.empty()) first = ongoing_.begin()->first;
  if (!unreplicated_.empty()) first = first ? std::min(*first, unreplicated_.begin()->first) : unreplicated_.begin()->first;
  return first;
}

void ProducerState::forget_replicated(Offset below) {
  std::erase_if(unreplicated_, [below](const auto& entry) {
    return entry.second.last_offset != no_offset && entry.second.last_offset < below;
  });
}

void ProducerState::log_start_moved(Offset to) {
  forget_replicated(to);
  end_offset_ = std::max(end_offset_, to);
}

bool ProducerState::has_ongoing_transaction(ProducerId id, ProducerEpoch epoch) const {
  const ProducerEntry* entry = find(id);
  return entry != nullptr && entry->transaction_first_offset != no_offset && entry->epoch == epoch;
}

std::optional<int64_t> ProducerState::oldest_transaction_timestamp_ms() const {
  if (ongoing_.empty()) return std::nullopt;
  const ProducerEntry* entry = find(ongoing_.begin()->second.producer_id);
  return entry == nullptr ? std::nullopt : std::optional(entry->last_timestamp_ms);
}

uint64_t ProducerState::start_verification(ProducerId id, int32_t sequence, ProducerEpoch epoch,
                                           bool supports_epoch_bump, int64_t now_ms) {
  if (has_ongoing_transaction(id, epoch)) return 0;
  const auto [at, is_new] = verifications_.try_emplace(id);
  Verification& state = at->second;
  if (is_new) {
    state = {++last_guard_, now_ms, sequence, epoch, supports_epoch_bump};
  } else if (epoch > state.epoch) {
    state.epoch = epoch;
    state.lowest_sequence = sequence;
  } else if (epoch == state.epoch) {
    state.lowest_sequence = std::min(state.lowest_sequence, sequence);
  }
  return state.guard;
}

bool ProducerState::is_verified(ProducerId id, uint64_t guard) const {
  const auto found = verifications_.find(id);
  return guard != 0 && found != verifications_.end() && found->second.guard == guard;
}

bool ProducerState::is_expired(const ProducerEntry& entry, int64_t now_ms) const {
  return entry.transaction_first_offset == no_offset &&
         now_ms - entry.last_timestamp_ms >= config_.producer_id_expiration_ms;
}

void ProducerState::expire(int64_t now_ms) {
  std::erase_if(producers_, [&](const auto& entry) { return is_expired(entry.second, now_ms); });
  std::erase_if(verifications_, [&](const auto& entry) {
    return now_ms - entry.second.started_ms >= config_.producer_id_expiration_ms;
  });
}

void ProducerState::clear(Offset offset) {
  producers_.clear();
  ongoing_.clear();
  unreplicated_.clear();
  end_offset_ = offset;
}

void ProducerState::load(ProducerId id, const ProducerEntry& entry) {
  put(id, entry);
  if (entry.transaction_first_offset != no_offset) ongoing_[entry.transaction_first_offset] = {id};
}

std::vector<ProducerId> ProducerState::snapshot_order() const {
  struct Place {
    uint32_t bucket;
    uint64_t inserted;
    ProducerId id;
    auto operator<=>(const Place&) const = default;
  };
  std::vector<Place> places;
  places.reserve(producers_.size());
  for (const auto& [id, entry] : producers_) {
    const auto bits = static_cast<uint64_t>(id.value());
    const auto hash = static_cast<uint32_t>(bits ^ (bits >> 32));
    places.push_back({(hash ^ (hash >> 16)) & (java_table_size_ - 1), entry.inserted, id});
  }
  std::ranges::sort(places);
  std::vector<ProducerId> order;
  order.reserve(places.size());
  for (const Place& place : places) order.push_back(place.id);
  return order;
}

}  // namespace moldau::storage
