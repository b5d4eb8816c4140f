// What the requests of a group's members have in common: each names one group, and whoever sends it must be allowed to
// read that group.
#pragma once

#include "broker/group_routing.h"
#include "broker/reply.h"
#include "groups/error_replies.h"

namespace moldau::broker {

template <class Response, protocol::ApiKey api, class Request>
runtime::task<Reply> serve_member(RequestContext& context, security::Gate<api> gate, Request request) {
  using security::Operation;
  using security::ResourceType;
  const auto refuse = [&context](protocol::ErrorCode error) {
    return make_reply(context, std::get<Response>(groups::refuse(groups::Request(Request{}), context.version, error)));
  };
  const std::string group_id = request.group_id;
  const auto access = gate.template may<Operation::read, ResourceType::group>(group_id);
  if (!access) co_return refuse(protocol::ErrorCode::group_authorization_failed);
  auto answer = co_await ask_coordinator(context, *access, std::move(request));
  if (!answer) co_return refuse(answer.error());
  co_return make_reply(context, std::get<Response>(*answer));
}

}  // namespace moldau::broker
