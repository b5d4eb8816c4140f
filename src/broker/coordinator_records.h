// Records of a coordinator's topic, to and from the log of one of its partitions.
#pragma once

#include <vector>

#include "broker/partition.h"
#include "groups/coordinator_shard.h"

namespace moldau::broker {

// Appends the records as one batch. Returns once they are replicated as acks=all demands.
runtime::task<protocol::ErrorCode> append_coordinator_records(Partition& partition,
                                                              const std::vector<groups::CoordinatorRecord>& records,
                                                              int64_t now_ms);

// Hands the coordinator every record and transaction marker of the log, in order; gives the number of records.
runtime::task<storage::log_result<uint64_t>> replay_coordinator_records(Partition& partition,
                                                                        groups::CoordinatorShard& coordinator);

}  // namespace moldau::broker
