// What a combined node says of itself to its own controller: its registrations, with the features that it supports, and
// the records with which a fresh cluster begins. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "metadata/image.h"
#include "metadata/metadata_record.h"
#include "protocol/messages/broker_registration_request.h"
#include "protocol/messages/controller_registration_request.h"

namespace moldau::controller {

struct LocalNode {
  int32_t node_id = 1;
  std::string cluster_id;
  Uuid incarnation_id;                           // new for each run of the process
  std::vector<metadata::Endpoint> endpoints;     // advertised listeners: the broker's, or the controller's
  std::optional<std::string> rack;
  std::vector<Uuid> log_dirs;
};

// `previous_broker_epoch`: from .kafka_cleanshutdown, -1 if the node did not stop in order.
[[nodiscard]] protocol::BrokerRegistrationRequest broker_registration(const LocalNode& node,
                                                                      int64_t previous_broker_epoch);
[[nodiscard]] protocol::ControllerRegistrationRequest controller_registration(const LocalNode& node);

// The FeatureLevelRecords of bootstrap.checkpoint, as `kafka-storage format` of 4.3.1 writes them.
[[nodiscard]] metadata::MetadataRecords bootstrap_records();

}  // namespace moldau::controller
