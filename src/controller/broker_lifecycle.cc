// Brokers come, are unfenced, stop and go: the records for the brokers and for every partition that it touches.

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "controller/controller.h"
#include "controller/partition_sweep.h"
#include "metadata/snapshot_records.h"

namespace moldau::controller {

using metadata::MetadataImage;
using metadata::MetadataRecords;
using metadata::no_leader;
using protocol::BrokerHeartbeatRequest;
using protocol::BrokerRegistrationRequest;
using protocol::ErrorCode;

namespace {

// The versions of BrokerRegistrationChangeRecord that first had each field.
constexpr int16_t change_of_fence = 0;
constexpr int16_t change_of_shutdown = 1;
constexpr int16_t change_of_log_dirs = 2;
constexpr int16_t change_of_cordoned = 3;

bool contains(const std::vector<int32_t>& brokers, int32_t broker) {
  return std::ranges::find(brokers, broker) != brokers.end();
}

protocol::BrokerRegistrationChangeRecord change_of(const metadata::Broker& broker) {
  protocol::BrokerRegistrationChangeRecord record;
  record.broker_id = broker.id;
  record.broker_epoch = broker.epoch;
  return record;
}

auto in_isr(int32_t broker) {
  return [broker](const metadata::Partition& partition) { return contains(partition.isr, broker); };
}
auto in_isr_or_elr(int32_t broker) {
  return [broker](const metadata::Partition& partition) {
    return contains(partition.isr, broker) || contains(partition.eligible_leader_replicas, broker);
  };
}

void add_fencing(const MetadataImage& image, const ControllerOptions& options, const metadata::Broker& broker,
                 MetadataRecords& records) {
  PartitionSweep(image, options).add_changes({.broker_to_remove = broker.id}, in_isr(broker.id), records);
  auto change = change_of(broker);
  change.fenced = 1;
  records.push_back({std::move(change), change_of_fence});
}

void add_unfencing(const MetadataImage& image, const ControllerOptions& options, const metadata::Broker& broker,
                   MetadataRecords& records) {
  auto change = change_of(broker);
  change.fenced = -1;
  records.push_back({std::move(change), change_of_fence});
  PartitionSweep(image, options)
      .add_changes({.broker_to_add = broker.id},
                   [](const metadata::Partition& partition) { return partition.leader == no_leader; }, records);
}

void add_controlled_shutdown(const MetadataImage& image, const ControllerOptions& options,
                             const metadata::Broker& broker, MetadataRecords& records) {
  auto change = change_of(broker);
  change.in_controlled_shutdown = 1;
  records.push_back({std::move(change), change_of_shutdown});
  PartitionSweep(image, options).add_changes({.broker_to_remove = broker.id}, in_isr(broker.id), records);
}

bool leads_anything(const MetadataImage& image, int32_t broker) {
  return std::ranges::any_of(image.topics_by_id, [&](const auto& entry) {
    return std::ranges::any_of(entry.second->partitions,
                               [&](const metadata::Partition& one) { return one.leader == broker; });
  });
}

ErrorCode check_directories(const MetadataImage& image, const BrokerRegistrationRequest& request) {
  if (!image.metadata_version().has_directory_assignment()) return ErrorCode::none;
  const std::set<Uuid> distinct(request.log_dirs.begin(), request.log_dirs.end());
  if (request.log_dirs.empty() || distinct.size() != request.log_dirs.size()) return ErrorCode::invalid_registration;
  if (std::ranges::any_of(distinct, &Uuid::is_reserved_directory)) return ErrorCode::invalid_registration;
  for (const auto& [id, broker] : image.brokers) {
    if (id == request.broker_id) continue;
    for (const Uuid& directory : broker->log_dirs)
      if (distinct.contains(directory)) return ErrorCode::invalid_registration;
  }
  return ErrorCode::none;
}

// Every finalized feature must be within what the broker supports.
ErrorCode check_features(const MetadataImage& image, const BrokerRegistrationRequest& request) {
  const auto supports = [&](std::string_view name, int16_t level) {
    const auto found = std::ranges::find(request.features, name, &BrokerRegistrationRequest::Feature::name);
    if (found == request.features.end()) return level == 0;
    return found->min_supported_version <= level && level <= found->max_supported_version;
  };
  for (const auto& [name, level] : image.features)
    if (!supports(name, level)) return ErrorCode::unsupported_version;
  if (!supports(metadata::kraft_version_feature, image.kraft_version)) return ErrorCode::unsupported_version;
  return ErrorCode::none;
}

void add_offline_directories(const MetadataImage& image, const ControllerOptions& options,
                             const metadata::Broker& broker, const std::vector<Uuid>& offline,
                             MetadataRecords& records) {
  std::set<Uuid> newly_offline;
  std::vector<Uuid> online;
  for (const Uuid& directory : broker.log_dirs) {
    if (std::ranges::find(offline, directory) != offline.end()) {
      newly_offline.insert(directory);
    } else {
      online.push_back(directory);
    }
  }
  if (newly_offline.empty()) return;
  PartitionSweep(image, options)
      .add_changes({.broker_to_remove = broker.id},
                   [&](const metadata::Partition& partition) {
                     const auto at = std::ranges::find(partition.replicas, broker.id);
                     const auto index = static_cast<size_t>(at - partition.replicas.begin());
                     return index < partition.directories.size() &&
                            newly_offline.contains(partition.directories[index]);
                   },
                   records);
  auto change = change_of(broker);
  change.log_dirs = std::move(online);
  records.push_back({std::move(change), change_of_log_dirs});
}

}  // namespace

Answer<protocol::BrokerRegistrationResponse> Controller::handle(const BrokerRegistrationRequest& request,
                                                                const RequestContext& context) {
  Answer<protocol::BrokerRegistrationResponse> answer;
  const MetadataImage& now = *image();
  const auto refuse = [&](ErrorCode code) {
    answer.response.error_code = static_cast<int16_t>(code);
    return answer;
  };
  if (request.cluster_id != options_.cluster_id) return refuse(ErrorCode::inconsistent_cluster_id);
  if (request.is_migrating_zk_broker) return refuse(ErrorCode::broker_id_not_registered);
  const metadata::Broker* existing = now.find_broker(request.broker_id);
  const bool is_same = existing != nullptr && existing->incarnation_id == request.incarnation_id;
  const auto contact = last_contact_ms_.find(request.broker_id);
  const bool has_session =
      contact != last_contact_ms_.end() && context.now_ms - contact->second < options_.broker_session_timeout_ms;
  if (existing != nullptr && !is_same && !existing->fenced && has_session)
    return refuse(ErrorCode::duplicate_broker_registration);
  if (const ErrorCode code = check_directories(now, request); code != ErrorCode::none) return refuse(code);
  if (const ErrorCode code = check_features(now, request); code != ErrorCode::none) return refuse(code);

  metadata::Broker broker;
  broker.id = request.broker_id;
  broker.incarnation_id = request.incarnation_id;
  broker.epoch = context.next_offset.value();
  broker.rack = request.rack;
  broker.log_dirs = request.log_dirs;
  for (const auto& one : request.listeners)
    broker.endpoints.push_back({one.name, one.host, one.port, one.security_protocol});
  for (const auto& one : request.features)
    broker.features[one.name] = {one.min_supported_version, one.max_supported_version};
  if (is_same) {
    broker.epoch = existing->epoch;
    broker.fenced = existing->fenced;
    broker.in_controlled_shutdown = existing->in_controlled_shutdown;
    broker.cordoned_log_dirs = existing->cordoned_log_dirs;
  } else if (existing != nullptr) {
    // A broker that cannot name its last epoch did not stop in order and may have lost what was not yet on disk.
    PartitionSweep sweep(now, options_);
    const bool was_clean = request.previous_broker_epoch == existing->epoch;
    if (!was_clean && sweep.has_elr()) {
      sweep.add_changes({.broker_shut_down_uncleanly = request.broker_id}, in_isr_or_elr(request.broker_id),
                        answer.records);
    } else {
      sweep.add_changes({.broker_to_remove = request.broker_id}, in_isr(request.broker_id), answer.records);
    }
  }
  answer.records.push_back(metadata::broker_record(broker, now.metadata_version()));
  answer.response.broker_epoch = broker.epoch;
  last_contact_ms_[request.broker_id] = context.now_ms;
  return answer;
}

Answer<protocol::BrokerHeartbeatResponse> Controller::handle(const BrokerHeartbeatRequest& request,
                                                             const RequestContext& context) {
  Answer<protocol::BrokerHeartbeatResponse> answer;
  const MetadataImage& now = *image();
  const metadata::Broker* broker = now.find_broker(request.broker_id);
  if (broker == nullptr || broker->epoch != request.broker_epoch) {
    answer.response.error_code = static_cast<int16_t>(ErrorCode::stale_broker_epoch);
    return answer;
  }
  last_contact_ms_[broker->id] = context.now_ms;
  // The epoch is the offset at which the registration was written.
  answer.response.is_caught_up = request.current_metadata_offset >= broker->epoch;
  answer.response.is_fenced = broker->fenced;

  if (request.cordoned_log_dirs && now.metadata_version().has_cordoned_log_dirs() &&
      broker->cordoned_log_dirs != request.cordoned_log_dirs) {
    auto change = change_of(*broker);
    change.cordoned_log_dirs = request.cordoned_log_dirs;
    answer.records.push_back({std::move(change), change_of_cordoned});
  }
  if (!request.offline_log_dirs.empty())
    add_offline_directories(now, options_, *broker, request.offline_log_dirs, answer.records);

  if (request.want_shut_down) {
    const bool may_stop = broker->fenced || !leads_anything(now, broker->id);
    if (may_stop) {
      if (!broker->fenced) add_fencing(now, options_, *broker, answer.records);
      answer.response.is_fenced = true;
      answer.response.should_shut_down = true;
    } else if (!broker->in_controlled_shutdown) {
      add_controlled_shutdown(now, options_, *broker, answer.records);
    }
  } else if (broker->fenced && !request.want_fence && answer.response.is_caught_up) {
    add_unfencing(now, options_, *broker, answer.records);
    answer.response.is_fenced = false;
  } else if (!broker->fenced && request.want_fence) {
    add_fencing(now, options_, *broker, answer.records);
    answer.response.is_fenced = true;
  }
  return answer;
}

MetadataRecords Controller::fence_a_silent_broker(int64_t now_ms) {
  MetadataRecords records;
  for (const auto& [id, contact_ms] : last_contact_ms_) {
    const metadata::Broker* broker = image()->find_broker(id);
    if (broker == nullptr || broker->fenced || now_ms - contact_ms < options_.broker_session_timeout_ms) continue;
    add_fencing(*image(), options_, *broker, records);
    return records;
  }
  return records;
}

Answer<protocol::UnregisterBrokerResponse> Controller::handle(const protocol::UnregisterBrokerRequest& request,
                                                              const RequestContext&) {
  Answer<protocol::UnregisterBrokerResponse> answer;
  const metadata::Broker* broker = image()->find_broker(request.broker_id);
  if (broker == nullptr) {
    answer.response.error_code = static_cast<int16_t>(ErrorCode::broker_id_not_registered);
    answer.response.error_message = fmt::format("Broker ID {} is not currently registered", request.broker_id);
    return answer;
  }
  answer.response.error_message = std::nullopt;
  PartitionSweep sweep(*image(), options_);
  sweep.add_changes({.broker_to_remove = broker->id, .broker_shut_down_uncleanly = broker->id},
                    in_isr_or_elr(broker->id), answer.records);
  protocol::UnregisterBrokerRecord record;
  record.broker_id = broker->id;
  record.broker_epoch = broker->epoch;
  answer.records.push_back({std::move(record), 0});
  return answer;
}

Answer<protocol::ControllerRegistrationResponse> Controller::handle(
    const protocol::ControllerRegistrationRequest& request, const RequestContext&) {
  Answer<protocol::ControllerRegistrationResponse> answer;
  if (!image()->metadata_version().has_controller_registration()) {
    answer.response.error_code = static_cast<int16_t>(ErrorCode::unsupported_version);
    answer.response.error_message = "The current MetadataVersion is too old to support controller registrations.";
    return answer;
  }
  metadata::RegisteredController controller;
  controller.id = request.controller_id;
  controller.incarnation_id = request.incarnation_id;
  for (const auto& one : request.listeners)
    controller.endpoints.push_back({one.name, one.host, one.port, one.security_protocol});
  for (const auto& one : request.features)
    controller.features[one.name] = {one.min_supported_version, one.max_supported_version};
  answer.records.push_back(metadata::controller_record(controller));
  return answer;
}

}  // namespace moldau::controller
