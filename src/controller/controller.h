// The active controller, without I/O: a request becomes records and a reply, and only replaying records changes what
// the controller knows, so that recovery and normal running are the same code.
//
// The owner drives it on one thread, in this order for each request: handle(); append the records to the metadata log
// as one batch; replay() them at the offset that they got; send the reply once the batch is committed. A reply without
// records may go at once, but not before the replies of earlier requests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "metadata/config/alter_configs.h"
#include "metadata/config/describe_configs.h"
#include "metadata/image.h"
#include "metadata/loader.h"
#include "metadata/metadata_record.h"
#include "protocol/messages/allocate_producer_ids_request.h"
#include "protocol/messages/allocate_producer_ids_response.h"
#include "protocol/messages/alter_configs_request.h"
#include "protocol/messages/alter_configs_response.h"
#include "protocol/messages/assign_replicas_to_dirs_request.h"
#include "protocol/messages/assign_replicas_to_dirs_response.h"
#include "protocol/messages/broker_heartbeat_request.h"
#include "protocol/messages/broker_heartbeat_response.h"
#include "protocol/messages/broker_registration_request.h"
#include "protocol/messages/broker_registration_response.h"
#include "protocol/messages/controller_registration_request.h"
#include "protocol/messages/controller_registration_response.h"
#include "protocol/messages/create_partitions_request.h"
#include "protocol/messages/create_partitions_response.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/delete_topics_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "protocol/messages/unregister_broker_request.h"
#include "protocol/messages/unregister_broker_response.h"
#include "protocol/messages/update_features_request.h"
#include "protocol/messages/update_features_response.h"

namespace moldau::controller {

template <class Response>
struct Answer {
  metadata::MetadataRecords records;  // one atomic batch; empty if nothing changes
  Response response;
};

// What the controller must know of a request beside its body.
struct RequestContext {
  int16_t version = 0;     // of the API
  int64_t now_ms = 0;      // monotonic; sessions are measured with it
  Offset next_offset{0};   // where the next record goes in the metadata log
};

struct ControllerOptions {
  int32_t node_id = 1;
  std::string cluster_id;
  int32_t default_num_partitions = 1;
  int16_t default_replication_factor = 1;
  bool delete_topic_enable = true;
  int32_t default_min_insync_replicas = 1;             // of the static configuration
  bool default_unclean_leader_election_enable = false;  // likewise
  int64_t broker_session_timeout_ms = 9000;
  metadata::ConfigContext config;          // `fixed` must outlive the controller
  std::function<Uuid()> random_uuid;      // never a reserved one
  std::function<uint64_t()> random = [] { return uint64_t{0}; };  // for the start of a placement
};

// At most this many records come from one request (Kafka's MAX_RECORDS_PER_USER_OP).
inline constexpr size_t max_records_per_request = 10'000;

class Controller {
 public:
  // `start` is the image of the newest snapshot, or an empty one.
  Controller(ControllerOptions options, metadata::MetadataImagePtr start);

  // Every record of the log passes here once, in order, those that come from this controller too. See MetadataLoader.
  [[nodiscard]] result<std::optional<metadata::PublishedMetadata>, std::string> replay(
      std::span<const metadata::MetadataRecord> records, Offset first_offset, LeaderEpoch epoch, int64_t timestamp_ms);
  void set_kraft_version(int16_t level) { loader_.set_kraft_version(level); }
  [[nodiscard]] const metadata::MetadataImagePtr& image() const { return loader_.image(); }

  // What the log needs before the first request when this controller becomes active: on an empty log the bootstrap
  // records (of bootstrap.checkpoint) in one transaction; else the abort of a transaction that was left open.
  [[nodiscard]] metadata::MetadataRecords activate(const metadata::MetadataRecords& bootstrap);

  // A client's requests. Access was checked before.
  [[nodiscard]] Answer<protocol::CreateTopicsResponse> handle(const protocol::CreateTopicsRequest&,
                                                              const RequestContext&);
  [[nodiscard]] Answer<protocol::DeleteTopicsResponse> handle(const protocol::DeleteTopicsRequest&,
                                                              const RequestContext&);
  [[nodiscard]] Answer<protocol::CreatePartitionsResponse> handle(const protocol::CreatePartitionsRequest&,
                                                                  const RequestContext&);
  // These two may also ask the caller to set a log level.
  [[nodiscard]] metadata::AlteredConfigs<protocol::AlterConfigsResponse> handle(const protocol::AlterConfigsRequest&,
                                                                                const RequestContext&);
  [[nodiscard]] metadata::AlteredConfigs<protocol::IncrementalAlterConfigsResponse> handle(
      const protocol::IncrementalAlterConfigsRequest&, const RequestContext&);
  [[nodiscard]] Answer<protocol::UpdateFeaturesResponse> handle(const protocol::UpdateFeaturesRequest&,
                                                                const RequestContext&);
  [[nodiscard]] Answer<protocol::UnregisterBrokerResponse> handle(const protocol::UnregisterBrokerRequest&,
                                                                  const RequestContext&);

  // A broker's requests. A combined node sends them to its own controller: registration at its start, heartbeats until
  // it is unfenced, and at its end with want_shut_down until it may stop.
  [[nodiscard]] Answer<protocol::BrokerRegistrationResponse> handle(const protocol::BrokerRegistrationRequest&,
                                                                    const RequestContext&);
  [[nodiscard]] Answer<protocol::BrokerHeartbeatResponse> handle(const protocol::BrokerHeartbeatRequest&,
                                                                 const RequestContext&);
  [[nodiscard]] Answer<protocol::AssignReplicasToDirsResponse> handle(const protocol::AssignReplicasToDirsRequest&,
                                                                      const RequestContext&);
  [[nodiscard]] Answer<protocol::AllocateProducerIdsResponse> handle(const protocol::AllocateProducerIdsRequest&,
                                                                     const RequestContext&);
  [[nodiscard]] Answer<protocol::ControllerRegistrationResponse> handle(const protocol::ControllerRegistrationRequest&,
                                                                        const RequestContext&);

  // Fences one unfenced broker that was in contact and has been silent for the session timeout; no records if there is
  // none. Brokers that were never in contact since this controller became active are left alone.
  [[nodiscard]] metadata::MetadataRecords fence_a_silent_broker(int64_t now_ms);

 private:
  ControllerOptions options_;
  metadata::MetadataLoader loader_;
  std::map<int32_t, int64_t> last_contact_ms_;  // by broker; of those heard from since this controller is active
};

}  // namespace moldau::controller
