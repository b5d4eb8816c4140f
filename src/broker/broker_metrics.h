// What is asked of a broker rather than counted: sizes and offsets of logs, groups and their lag.
#pragma once

#include <vector>

#include "base/metrics.h"
#include "broker/broker.h"

namespace moldau::broker {

// Asks every shard. On shard 0. A group's lag is given in records (log end less committed offset) and in seconds: how
// old the first record is that the group has not read.
runtime::task<std::vector<MetricFamily>> describe_broker(Broker& broker);

}  // namespace moldau::broker
