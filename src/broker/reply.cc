#include "broker/reply.h"

namespace moldau::broker {

static constexpr size_t size_prefix_bytes = 4;

protocol::Writer begin_reply(const RequestContext& context) {
  protocol::Writer writer;
  writer.skip(size_prefix_bytes);
  writer.int32(context.correlation_id);
  const protocol::ApiInfo* api = protocol::find_api(context.api_key);
  MOLDAU_ASSERT(api != nullptr);
  if (api->response_header_version(context.version) >= 1) writer.unsigned_varint(0);
  return writer;
}

Reply end_reply(protocol::Writer writer) {
  writer.patch_int32(0, static_cast<int32_t>(writer.total_size() - size_prefix_bytes));
  Reply reply;
  reply.ranges.reserve(writer.splices().size());
  for (const auto& splice : writer.splices())
    reply.ranges.push_back({.after_bytes = splice.position, .size_bytes = splice.bytes});
  reply.frame = writer.take();
  return reply;
}

Reply refuse_malformed(const RequestContext& context, const protocol::DecodeError& error) {
  const protocol::ApiInfo* api = protocol::find_api(context.api_key);
  Reply reply;
  reply.refusal = Refusal{RefusalKind::malformed_request,
                          fmt::format("malformed {} request, version {}: {}", api->name, context.version, error.to_string())};
  return reply;
}

}  // namespace moldau::broker
