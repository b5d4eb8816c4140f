// What records of brokers and controllers change in the image.
#include "metadata/delta.h"

#include <utility>

#include <fmt/format.h>

namespace moldau::metadata {

namespace {

template <class RecordEndpoints>
std::vector<Endpoint> endpoints_of(const RecordEndpoints& from) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(from.size());
  for (const auto& one : from) endpoints.push_back({one.name, one.host, one.port, one.security_protocol});
  return endpoints;
}

template <class RecordFeatures>
std::map<std::string, protocol::VersionRange> features_of(const RecordFeatures& from) {
  std::map<std::string, protocol::VersionRange> features;
  for (const auto& one : from) features[one.name] = {one.min_supported_version, one.max_supported_version};
  return features;
}

}  // namespace

MetadataDelta::Outcome MetadataDelta::replay(const protocol::RegisterBrokerRecord& record) {
  auto broker = std::make_shared<Broker>();
  broker->id = record.broker_id;
  broker->epoch = record.broker_epoch;
  broker->incarnation_id = record.incarnation_id;
  broker->endpoints = endpoints_of(record.end_points);
  broker->features = features_of(record.features);
  broker->rack = record.rack;
  broker->fenced = record.fenced;
  broker->in_controlled_shutdown = record.in_controlled_shutdown;
  broker->is_migrating_zk_broker = record.is_migrating_zk_broker;
  broker->log_dirs = record.log_dirs;
  broker->cordoned_log_dirs = record.cordoned_log_dirs;
  image_.brokers.insert_or_assign(record.broker_id, std::move(broker));
  changes_.brokers.insert(record.broker_id);
  return {};
}

MetadataDelta::Outcome MetadataDelta::change_broker(int32_t id, int64_t epoch,
                                                    const std::function<void(Broker&)>& change) {
  const Broker* broker = image_.find_broker(id);
  if (broker == nullptr) return fail(fmt::format("broker {} is changed, but not registered", id));
  if (broker->epoch != epoch)
    return fail(fmt::format("broker {} is changed at epoch {}, but is registered at {}", id, epoch, broker->epoch));
  auto next = std::make_shared<Broker>(*broker);
  change(*next);
  image_.brokers.insert_or_assign(id, std::move(next));
  changes_.brokers.insert(id);
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::UnregisterBrokerRecord& record) {
  const Broker* broker = image_.find_broker(record.broker_id);
  if (broker == nullptr) return fail(fmt::format("broker {} is unregistered, but not registered", record.broker_id));
  if (broker->epoch != record.broker_epoch)
    return fail(fmt::format("broker {} is unregistered at epoch {}, but is registered at {}", record.broker_id,
                            record.broker_epoch, broker->epoch));
  image_.brokers.erase(record.broker_id);
  changes_.brokers.insert(record.broker_id);
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::FenceBrokerRecord& record) {
  return change_broker(record.id, record.epoch, [](Broker& broker) { broker.fenced = true; });
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::UnfenceBrokerRecord& record) {
  return change_broker(record.id, record.epoch, [](Broker& broker) { broker.fenced = false; });
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::BrokerRegistrationChangeRecord& record) {
  return change_broker(record.broker_id, record.broker_epoch, [&](Broker& broker) {
    if (record.fenced != 0) broker.fenced = record.fenced > 0;
    if (record.in_controlled_shutdown != 0) broker.in_controlled_shutdown = record.in_controlled_shutdown > 0;
    if (!record.log_dirs.empty()) broker.log_dirs = record.log_dirs;
    if (record.cordoned_log_dirs) broker.cordoned_log_dirs = record.cordoned_log_dirs;
  });
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::RegisterControllerRecord& record) {
  auto controller = std::make_shared<RegisteredController>();
  controller->id = record.controller_id;
  controller->incarnation_id = record.incarnation_id;
  controller->zk_migration_ready = record.zk_migration_ready;
  controller->endpoints = endpoints_of(record.end_points);
  controller->features = features_of(record.features);
  image_.controllers.insert_or_assign(record.controller_id, std::move(controller));
  changes_.controllers = true;
  return {};
}

}  // namespace moldau::metadata
