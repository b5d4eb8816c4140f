// What goes into and comes out of the group coordinator: requests, replies, records to append, settings. Plain data.
//
// A reply is a token and a response struct; the token is the broker's own number for a waiting request and means nothing
// here. Responses are shaped for the version of their request: they can be encoded as they are (throttle time is zero).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "protocol/error_code.h"
#include "protocol/messages/delete_groups_request.h"
#include "protocol/messages/delete_groups_response.h"
#include "protocol/messages/describe_groups_request.h"
#include "protocol/messages/describe_groups_response.h"
#include "protocol/messages/heartbeat_request.h"
#include "protocol/messages/heartbeat_response.h"
#include "protocol/messages/join_group_request.h"
#include "protocol/messages/join_group_response.h"
#include "protocol/messages/leave_group_request.h"
#include "protocol/messages/leave_group_response.h"
#include "protocol/messages/list_groups_request.h"
#include "protocol/messages/list_groups_response.h"
#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_delete_request.h"
#include "protocol/messages/offset_delete_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "protocol/messages/sync_group_request.h"
#include "protocol/messages/sync_group_response.h"

namespace moldau::groups {

using protocol::ErrorCode;
using ReplyToken = uint64_t;
using AppendId = uint64_t;  // rises by one; 0: none

// The broker's settings, by Kafka's names; defaults are Kafka's.
struct GroupConfig {
  int32_t min_session_timeout_ms = 6'000;             // group.min.session.timeout.ms
  int32_t max_session_timeout_ms = 1'800'000;         // group.max.session.timeout.ms
  int32_t initial_rebalance_delay_ms = 3'000;         // group.initial.rebalance.delay.ms
  int32_t max_group_size = 2'147'483'647;             // group.max.size
  int32_t new_member_join_timeout_ms = 300'000;       // fixed in Kafka: session of a member until its first rebalance ends
  int32_t offset_metadata_max_length = 4'096;         // offset.metadata.max.bytes: Kafka counts UTF-16 units
  int64_t offsets_retention_ms = 10'080LL * 60'000;   // offsets.retention.minutes
  int64_t offsets_retention_check_interval_ms = 600'000;  // offsets.retention.check.interval.ms
};

// Whose request it is. `client_host` is written as Java prints an address: "/127.0.0.1".
struct Call {
  ReplyToken token = 0;
  int16_t version = 0;
  std::string client_id;
  std::string client_host;
};

// One group of an OffsetFetch request (see offset_fetch_shape.h): topics by name; an id beside a name must match the
// id that the offset was committed with. Null topics ask for all.
struct OffsetFetchGroup {
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup group;
  bool require_stable = false;
};

// DescribeGroups and DeleteGroups name only groups of this partition; OffsetCommit (with name and, where known, topic id
// filled in) and OffsetDelete only partitions that exist. The broker answers for the rest.
using Request = std::variant<protocol::JoinGroupRequest, protocol::SyncGroupRequest, protocol::HeartbeatRequest,
                             protocol::LeaveGroupRequest, protocol::DescribeGroupsRequest, protocol::ListGroupsRequest,
                             protocol::DeleteGroupsRequest, protocol::OffsetCommitRequest, OffsetFetchGroup,
                             protocol::OffsetDeleteRequest>;
// In the order of Request.
using Response = std::variant<protocol::JoinGroupResponse, protocol::SyncGroupResponse, protocol::HeartbeatResponse,
                              protocol::LeaveGroupResponse, protocol::DescribeGroupsResponse,
                              protocol::ListGroupsResponse, protocol::DeleteGroupsResponse,
                              protocol::OffsetCommitResponse, protocol::OffsetFetchResponse::OffsetFetchResponseGroup,
                              protocol::OffsetDeleteResponse>;

struct Reply {
  ReplyToken token = 0;
  Response response;
};

// One record of __consumer_offsets, encoded as Kafka encodes it. Without a value it is a tombstone.
struct CoordinatorRecord {
  Bytes key;
  std::optional<Bytes> value;
  friend bool operator==(const CoordinatorRecord&, const CoordinatorRecord&) = default;
};

// Records that belong into one batch: all of them or none.
struct Append {
  AppendId id = 0;
  std::vector<CoordinatorRecord> records;
};

// What one step asks of the broker: append these batches in this order, send these replies now. Replies that wait for
// an append come out of on_committed() or its sisters.
struct Output {
  std::vector<Append> appends;
  std::vector<Reply> replies;
};

struct DeletedTopic {
  std::string name;
  Uuid topic_id;
};

// A committed offset as metrics and lag want it.
struct CommittedOffset {
  int64_t offset = -1;
  int32_t leader_epoch = -1;         // -1: none
  std::string metadata;
  int64_t commit_timestamp_ms = -1;
  int64_t expire_timestamp_ms = -1;  // -1: none; set by clients of OffsetCommit 2 to 4
  Uuid topic_id;                     // zero: committed before topic ids
  uint64_t sequence = 0;             // place of its record in the log, counted in replayed records
  friend bool operator==(const CommittedOffset&, const CommittedOffset&) = default;
};

enum class GroupType : uint8_t { classic, consumer, share, streams };
enum class ClassicState : uint8_t { empty, preparing_rebalance, completing_rebalance, stable, dead };

struct GroupStats {
  uint64_t classic_by_state[5] = {};   // by ClassicState
  uint64_t by_type[4] = {};            // by GroupType
  uint64_t offsets = 0;
  uint64_t members = 0;                // of classic groups
  uint64_t completed_rebalances = 0;   // since load, as are the rest
  uint64_t committed_offsets = 0;
  uint64_t expired_offsets = 0;
  uint64_t unknown_records = 0;        // of record types newer than 4.3: left in the log, untouched
};

}  // namespace moldau::groups
