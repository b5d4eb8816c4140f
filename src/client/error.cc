#include "client/error.h"

#include <fmt/core.h>

namespace moldau::client {

using protocol::ErrorCode;

std::string Error::to_string() const { return advice.empty() ? message : message + "\n" + advice; }

namespace {

std::string_view advice_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::unknown_topic_id:
      return "See which topics exist with: moldau topic list";
    case ErrorCode::topic_already_exists:
      return "Look at it with: moldau topic describe NAME, or change it with: moldau topic alter NAME";
    case ErrorCode::invalid_topic_exception:
      return "Topic names have 1 to 249 characters out of letters, digits, '.', '_' and '-'";
    case ErrorCode::invalid_partitions:
      return "Partitions can be added, never taken away; give a larger number";
    case ErrorCode::invalid_replication_factor:
      return "The replication factor cannot exceed the number of running brokers; leave it out for the "
             "broker's default";
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
      return "Fewer replicas are in sync than min.insync.replicas; start the missing brokers or lower that "
             "setting";
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
      return "Send smaller records, or raise the topic's max.message.bytes: moldau topic alter NAME --set "
             "max.message.bytes=N";
    case ErrorCode::offset_out_of_range:
      return "Read from --from-beginning or from an offset that is still there";
    case ErrorCode::non_empty_group:
      return "Stop the group's consumers first; moldau group describe shows who they are";
    case ErrorCode::coordinator_not_available:
      return "If it stays so, __consumer_offsets cannot be made (a node alone needs offsets.topic.replication.factor=1; "
             "its log says why) or has lost its leader: moldau topic describe __consumer_offsets";
    case ErrorCode::group_id_not_found:
      return "See which groups exist with: moldau group list";
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
    case ErrorCode::rebalance_in_progress:
      return "The group has active members; stop them first (moldau group describe shows who they are)";
    case ErrorCode::topic_authorization_failed:
    case ErrorCode::group_authorization_failed:
    case ErrorCode::cluster_authorization_failed:
    case ErrorCode::transactional_id_authorization_failed:
      return "Ask for the right to do this, or use another principal";
    case ErrorCode::invalid_config:
      return "See the settings of a topic with: moldau topic describe NAME --all";
    case ErrorCode::policy_violation:
      return "A policy of the cluster forbids this; change the request";
    case ErrorCode::topic_deletion_disabled:
      return "Set delete.topic.enable=true on the brokers";
    case ErrorCode::unsupported_version:
      return "The broker is of another release; see: moldau api-versions";
    case ErrorCode::corrupt_message:
      return "Check the log with: moldau log verify DIRECTORY";
    case ErrorCode::kafka_storage_error:
      return "The broker's disk failed or is full; its log says which";
    case ErrorCode::log_dir_not_found:
      return "See its directories with: moldau directory list";
    default:
      return is_worth_retrying(code) ? "This passes by itself as a rule; try again" : "";
  }
}

}  // namespace

Error server_error(ErrorCode code, std::string_view what, std::string_view detail) {
  std::string_view reason = detail.empty() ? protocol::error_message(code) : detail;
  // Kafka's own words for it speak of a server that does not host it.
  if (code == ErrorCode::unknown_topic_or_partition) reason = "there is no such topic or partition";
  return {.kind = Error::Kind::server,
          .code = code,
          .message = fmt::format("{}: {} ({})", what, reason, protocol::error_name(code)),
          .advice = std::string(advice_for(code))};
}

bool needs_new_metadata(ErrorCode code) { return protocol::refreshes_metadata(code); }

bool is_worth_retrying(ErrorCode code) {
  // To Kafka a topic that is not there may still come; here waiting for one is the caller's decision.
  return code != ErrorCode::unknown_topic_or_partition && protocol::is_retriable(code);
}

bool is_worth_retrying(const Error& error) {
  switch (error.kind) {
    case Error::Kind::cannot_connect:
    case Error::Kind::disconnected:
    case Error::Kind::timed_out:
      return true;
    case Error::Kind::server:
      return is_worth_retrying(error.code);
    default:
      return false;
  }
}

}  // namespace moldau::client
