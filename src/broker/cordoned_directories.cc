#include "broker/cordoned_directories.h"

#include "base/log.h"
#include "broker/directory_set.h"
#include "broker/quorum_host.h"
#include "metadata/config/node_config_rules.h"

namespace moldau::broker {

using runtime::task;

static task<void> tell_controller(Broker& broker) {
  auto cordoned = cordoned_to_tell(broker);
  if (!cordoned) co_return;
  const metadata::Broker* self = broker.first_shard().image->find_broker(broker.config.node_id.value());
  protocol::BrokerHeartbeatRequest heartbeat;
  heartbeat.broker_id = self->id;
  heartbeat.broker_epoch = self->epoch;
  heartbeat.current_metadata_offset = broker.first_shard().image->offset.value();
  heartbeat.cordoned_log_dirs = std::move(cordoned);
  const auto response = co_await broker.quorum->handle(security::Authorized::as_node(), std::move(heartbeat),
                                                       protocol::BrokerHeartbeatRequest::valid_versions.max);
  if (response.error_code != 0)
    log_warning("the controller could not be told which log directories are cordoned: {}",
                protocol::error_message(static_cast<protocol::ErrorCode>(response.error_code)));
}

void take_cordoned(Broker& broker, const metadata::MetadataImage& image, const metadata::ConfigMap& effective) {
  const std::vector<std::string> named = image.metadata_version().has_cordoned_log_dirs() ? metadata::cordoned_log_dirs(effective)
                                                                                          : std::vector<std::string>{};
  for (const auto& directory : broker.directories->directories()) {
    const bool is_cordoned = std::ranges::any_of(named, [&](std::string_view name) {
      while (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
      return name == directory->path();
    });
    if (directory->is_cordoned.exchange(is_cordoned) != is_cordoned)
      log_info("log directory {} is {}", directory->path(), is_cordoned ? "cordoned: nothing new is placed there" : "not cordoned any more");
  }
  if (broker.ready) broker.background.spawn(tell_controller(broker));
}

std::optional<std::vector<Uuid>> cordoned_to_tell(const Broker& broker) {
  std::vector<Uuid> cordoned;
  for (const auto& directory : broker.directories->directories())
    if (directory->is_cordoned && !directory->id.is_reserved_directory()) cordoned.push_back(directory->id);
  const metadata::MetadataImagePtr image = broker.shards.front()->image;
  const metadata::Broker* self = image->find_broker(broker.config.node_id.value());
  if (self == nullptr || !image->metadata_version().has_cordoned_log_dirs()) return std::nullopt;
  if (cordoned == self->cordoned_log_dirs.value_or(std::vector<Uuid>{})) return std::nullopt;
  return cordoned;
}

}  // namespace moldau::broker
