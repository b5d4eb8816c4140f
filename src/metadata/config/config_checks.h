// Whether a resource may have a whole set of settings: what AlterConfigs, IncrementalAlterConfigs and
// CreateTopics ask before records are written. Pure functions, any thread. Codes are those that Apache
// Kafka 4.3 answers.
#pragma once

#include "metadata/api_error.h"
#include "metadata/config/broker_layers.h"

namespace moldau::metadata {

// All overrides of a topic, existing and new. INVALID_CONFIG. `broker` is the effective configuration.
[[nodiscard]] ApiError check_topic_configs(const ConfigMap& overrides, const ConfigMap& broker);

// All dynamic values of one broker, or of all if `of_one_broker` is false; `now` is what the broker goes by,
// `then` what it would go by. INVALID_REQUEST.
[[nodiscard]] ApiError check_broker_configs(const ConfigMap& dynamic, bool of_one_broker,
                                            const ConfigMap& now, const ConfigMap& then);

// All settings of a group; `broker` gives the bounds. INVALID_CONFIG.
[[nodiscard]] ApiError check_group_configs(const ConfigMap& settings, const ConfigMap& broker);

// All settings of a client metrics subscription (KIP-714). INVALID_REQUEST or INVALID_CONFIG.
[[nodiscard]] ApiError check_client_metrics_configs(const ConfigMap& settings);

}  // namespace moldau::metadata
