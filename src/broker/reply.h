// What every handler begins and ends with: the decoded request, and the reply of a response.
#pragma once

#include <fmt/core.h>

#include "broker/request.h"
#include "protocol/api_table.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace moldau::broker {

// Starts the frame of an answer: room for its size, and the response header.
[[nodiscard]] protocol::Writer begin_reply(const RequestContext& context);
// Ends it: fills in the size. Ranges for the writer's splices are the caller's to add, in order.
[[nodiscard]] Reply end_reply(protocol::Writer writer);

[[nodiscard]] Reply refuse_malformed(const RequestContext& context, const protocol::DecodeError& error);

template <class Request>
[[nodiscard]] result<Request, protocol::DecodeError> decode_request(const RequestContext& context) {
  return protocol::decode<Request>(context.body, context.version);
}

template <class Response>
[[nodiscard]] Reply make_reply(const RequestContext& context, const Response& response) {
  protocol::Writer writer = begin_reply(context);
  protocol::encode(writer, response, context.version);
  return end_reply(std::move(writer));
}

}  // namespace moldau::broker

// MOLDAU_DECODE(ProduceRequest, request, context): declares `request`, or answers that the bytes are malformed.
#define MOLDAU_DECODE(Type, name, context)                                                          \
  auto name##_decoded = ::moldau::broker::decode_request<::moldau::protocol::Type>(context);        \
  if (!name##_decoded) co_return ::moldau::broker::refuse_malformed(context, name##_decoded.error()); \
  ::moldau::protocol::Type& name = *name##_decoded
