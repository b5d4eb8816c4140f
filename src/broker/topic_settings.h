// From the metadata's and the node's settings to what logs and coordinators take.
#pragma once

#include "broker/broker.h"
#include "groups/coordinator_types.h"
#include "metadata/config/topic_config.h"
#include "metadata/image.h"
#include "storage/log_config.h"

namespace moldau::broker {

// What a topic without settings of its own goes by: the file and what was set for the brokers while they ran.
[[nodiscard]] metadata::TopicConfig topic_defaults(const Broker& broker, const metadata::MetadataImage& image);
// All settings of a topic.
[[nodiscard]] metadata::TopicConfig topic_config(const BrokerShard& shard, const metadata::MetadataImage& image,
                                                 const std::string& topic);
[[nodiscard]] storage::LogConfig log_config(const metadata::TopicConfig& config);
[[nodiscard]] groups::GroupConfig group_config(const metadata::NodeConfig& config);

}  // namespace moldau::broker
