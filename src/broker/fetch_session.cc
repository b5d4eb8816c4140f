#include "broker/fetch_session.h"

#include <algorithm>
#include <set>

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::FetchRequest;

namespace {

constexpr int32_t final_epoch = -1;    // no session, or the end of one
constexpr int32_t initial_epoch = 0;   // a full fetch that asks for a session
constexpr int64_t idle_us = 120'000'000;
constexpr int16_t first_version_by_id = 13;

std::string key_of(const std::string& topic, const Uuid& topic_id, int32_t partition, bool by_topic_id) {
  std::string key = by_topic_id ? std::string(reinterpret_cast<const char*>(&topic_id), sizeof topic_id) : topic;
  key.append(reinterpret_cast<const char*>(&partition), sizeof partition);
  return key;
}

void update(FetchItem& item, const FetchRequest::FetchPartition& asked) {
  item.current_leader_epoch = asked.current_leader_epoch;
  item.fetch_offset = asked.fetch_offset;
  item.last_fetched_epoch = asked.last_fetched_epoch;
  item.log_start_offset = asked.log_start_offset;
  item.max_bytes = asked.partition_max_bytes;
}

std::vector<FetchItem> items_of(const FetchRequest& request) {
  std::vector<FetchItem> items;
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) {
      FetchItem& item = items.emplace_back();
      item.topic = topic.topic;
      item.topic_id = topic.topic_id;
      item.partition = asked.partition;
      update(item, asked);
    }
  }
  return items;
}

void add(FetchSession& session, FetchItem item) {
  std::string key = key_of(item.topic, item.topic_id, item.partition, session.by_topic_id);
  if (const auto known = session.by_key.find(key); known != session.by_key.end()) {
    *known->second = std::move(item);
    return;
  }
  session.items.push_back(std::move(item));
  session.by_key.emplace(std::move(key), std::prev(session.items.end()));
}

int32_t following(int32_t epoch) { return epoch == INT32_MAX ? 1 : epoch + 1; }

}  // namespace

bool FetchContext::include(FetchItem& item, const protocol::FetchResponse::PartitionData& answer, bool has_records) {
  const bool changed = has_records || answer.error_code != 0 || answer.preferred_read_replica >= 0 ||
                       item.told_high_watermark != answer.high_watermark ||
                       item.told_log_start_offset != answer.log_start_offset;
  if (session) {
    // An error is told again next time, whatever follows it.
    item.told_high_watermark = answer.error_code == 0 ? answer.high_watermark : -1;
    item.told_log_start_offset = answer.log_start_offset;
    if (has_records) {
      const auto place = session->by_key.find(key_of(item.topic, item.topic_id, item.partition, session->by_topic_id));
      if (place != session->by_key.end() && &*place->second == &item)
        session->items.splice(session->items.end(), session->items, place->second);
    }
  }
  return kind != Kind::incremental || changed;
}

FetchContext FetchSessionCache::open(const FetchRequest& request, int16_t version, int64_t now_us) {
  const bool full = request.session_epoch == initial_epoch || request.session_epoch == final_epoch;
  return full ? open_full(request, version, now_us) : open_incremental(request, version, now_us);
}

FetchContext FetchSessionCache::open_full(const FetchRequest& request, int16_t version, int64_t now_us) {
  if (request.session_id != 0) sessions_.erase(request.session_id);
  FetchContext context;
  context.own_items = items_of(request);
  const bool wanted = request.session_epoch == initial_epoch;
  const bool privileged = request.replica_id >= 0 || request.replica_state.replica_id >= 0;
  if (wanted && !context.own_items.empty() && make_room(privileged, context.own_items.size(), now_us)) {
    auto session = std::make_shared<FetchSession>();
    session->id = new_id();
    session->by_topic_id = version >= first_version_by_id;
    session->privileged = privileged;
    session->created_us = session->last_used_us = now_us;
    for (FetchItem& item : context.own_items) add(*session, std::move(item));
    context.own_items.clear();
    context.kind = FetchContext::Kind::full;
    context.session_id = session->id;
    sessions_.emplace(session->id, session);
    context.session = std::move(session);
    context.lease = context.session->lease;
    for (FetchItem& item : context.session->items) context.items.push_back(&item);
  } else {
    for (FetchItem& item : context.own_items) context.items.push_back(&item);
  }
  return context;
}

FetchContext FetchSessionCache::open_incremental(const FetchRequest& request, int16_t version, int64_t now_us) {
  FetchContext context;
  const auto found = sessions_.find(request.session_id);
  if (found == sessions_.end()) {
    context.error = ErrorCode::fetch_session_id_not_found;
    return context;
  }
  FetchSession& session = *found->second;
  // While one request of a session is served, its items may not change under it: no client sends two at a time.
  if (session.next_epoch != request.session_epoch || session.lease.use_count() > 1) {
    context.error = ErrorCode::invalid_fetch_session_epoch;
    return context;
  }
  const bool by_topic_id = version >= first_version_by_id;
  if (by_topic_id != session.by_topic_id) {
    context.error = ErrorCode::fetch_session_topic_id_error;
    return context;
  }
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) {
      const auto known = session.by_key.find(key_of(topic.topic, topic.topic_id, asked.partition, by_topic_id));
      if (known != session.by_key.end()) {
        update(*known->second, asked);
        continue;
      }
      FetchItem item;
      item.topic = topic.topic;
      item.topic_id = topic.topic_id;
      item.partition = asked.partition;
      update(item, asked);
      add(session, std::move(item));
    }
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (const int32_t partition : topic.partitions) {
      const auto known = session.by_key.find(key_of(topic.topic, topic.topic_id, partition, by_topic_id));
      if (known == session.by_key.end()) continue;
      session.items.erase(known->second);
      session.by_key.erase(known);
    }
  }
  if (session.items.empty()) {  // nothing left to fetch: the session ends, as in Kafka
    sessions_.erase(found);
    return context;
  }
  session.next_epoch = following(session.next_epoch);
  session.last_used_us = now_us;
  context.kind = FetchContext::Kind::incremental;
  context.session_id = session.id;
  context.session = found->second;
  context.lease = session.lease;
  for (FetchItem& item : session.items) context.items.push_back(&item);
  return context;
}

// Kafka's order of eviction: whoever has been idle, else a smaller or less privileged one.
bool FetchSessionCache::make_room(bool privileged, size_t item_count, int64_t now_us) {
  if (sessions_.size() < slots_) return true;
  if (slots_ == 0) return false;
  auto oldest = sessions_.begin();
  for (auto at = sessions_.begin(); at != sessions_.end(); ++at)
    if (at->second->last_used_us < oldest->second->last_used_us) oldest = at;
  auto victim = sessions_.end();
  if (now_us - oldest->second->last_used_us >= idle_us) {
    victim = oldest;
  } else {
    for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
      const FetchSession& other = *at->second;
      const bool weaker = privileged != other.privileged ? privileged : item_count > other.items.size();
      if (!weaker || now_us - other.created_us < idle_us) continue;
      if (victim == sessions_.end() || other.items.size() < victim->second->items.size()) victim = at;
    }
  }
  if (victim == sessions_.end()) return false;
  sessions_.erase(victim);
  ++evictions_;
  return true;
}

int32_t FetchSessionCache::new_id() {
  while (true) {
    next_random_ = next_random_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto id = static_cast<int32_t>(next_random_ >> 33);
    if (id > 0 && !sessions_.contains(id)) return id;
  }
}

}  // namespace moldau::broker
