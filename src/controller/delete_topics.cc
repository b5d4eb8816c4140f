#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "controller/controller.h"

namespace moldau::controller {

using metadata::ApiError;
using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;

namespace {

// Names and ids of a request that were given once; those given more often have their answer already.
struct TopicsGiven {
  std::vector<std::string> names;
  std::vector<Uuid> ids;
};

template <class Value>
std::vector<Value> given_once(const std::vector<Value>& given, const auto& on_duplicate) {
  std::map<Value, int> times;
  for (const Value& value : given) ++times[value];
  for (const auto& [value, count] : times)
    if (count > 1) on_duplicate(value);
  std::vector<Value> once;
  for (const Value& value : given)
    if (times[value] == 1) once.push_back(value);
  return once;
}

}  // namespace

Answer<DeleteTopicsResponse> Controller::handle(const DeleteTopicsRequest& request, const RequestContext& context) {
  Answer<DeleteTopicsResponse> answer;
  const metadata::MetadataImage& now = *image();
  const auto respond = [&](std::optional<std::string> name, const Uuid& id, const ApiError& error) {
    DeleteTopicsResponse::DeletableTopicResult result;
    result.name = std::move(name);
    result.topic_id = id;
    result.error_code = static_cast<int16_t>(error.code);
    if (!error.is_none()) result.error_message = error.message;
    answer.response.responses.push_back(std::move(result));
  };

  if (!options_.delete_topic_enable) {
    const ApiError disabled = context.version < 3 ? ApiError{ErrorCode::invalid_request, "Topic deletion is disabled."}
                                                  : metadata::plain_error(ErrorCode::topic_deletion_disabled);
    for (const std::string& name : request.topic_names) respond(name, {}, disabled);
    for (const auto& topic : request.topics) respond(topic.name, topic.topic_id, disabled);
    return answer;
  }

  TopicsGiven given;
  given.names = request.topic_names;
  for (const auto& topic : request.topics) {
    if (!topic.name && topic.topic_id.is_zero()) {
      respond(std::nullopt, {}, {ErrorCode::invalid_request, "Neither topic name nor id were specified."});
    } else if (!topic.name) {
      given.ids.push_back(topic.topic_id);
    } else if (topic.topic_id.is_zero()) {
      given.names.push_back(*topic.name);
    } else {
      respond(topic.name, topic.topic_id,
              {ErrorCode::invalid_request, "You may not specify both topic name and topic id."});
    }
  }
  const auto names = given_once(given.names, [&](const std::string& name) {
    respond(name, {}, {ErrorCode::invalid_request, "Duplicate topic name."});
  });
  std::set<Uuid> duplicate_ids;
  const auto ids = given_once(given.ids, [&](const Uuid& id) {
    duplicate_ids.insert(id);
    respond(std::nullopt, id, {ErrorCode::invalid_request, "Duplicate topic id."});
  });

  std::map<Uuid, std::string> to_delete;
  for (const Uuid& id : ids) {
    if (const metadata::Topic* topic = now.find_topic(id)) {
      to_delete[id] = topic->name;
    } else {
      respond(std::nullopt, id, metadata::plain_error(ErrorCode::unknown_topic_id));
    }
  }
  for (const std::string& name : names) {
    const metadata::Topic* topic = now.find_topic(name);
    if (topic == nullptr) {
      respond(name, {}, metadata::plain_error(ErrorCode::unknown_topic_or_partition));
    } else if (duplicate_ids.contains(topic->id) || to_delete.contains(topic->id)) {
      to_delete.erase(topic->id);
      respond(name, topic->id,
              {ErrorCode::invalid_request, "The provided topic name maps to an ID that was already supplied."});
    } else {
      to_delete[topic->id] = name;
    }
  }
  for (const auto& [id, name] : to_delete) {
    if (answer.records.size() == max_records_per_request) {
      respond(name, id, {ErrorCode::policy_violation, "Unable to perform excessively large batch operation."});
      continue;
    }
    protocol::RemoveTopicRecord record;
    record.topic_id = id;
    answer.records.push_back({std::move(record), 0});
    respond(name, id, {});
  }
  return answer;
}

}  // namespace moldau::controller
