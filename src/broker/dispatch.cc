#include "broker/dispatch.h"

#include "broker/api_handlers.h"
#include "broker/broker_shard.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::ApiKey;
using runtime::task;

bool may_overlap(ByteView frame) {
  if (frame.size() < sizeof(int16_t)) return false;
  const auto key = load_be<int16_t>(frame.data());
  return key == static_cast<int16_t>(ApiKey::produce) || key == static_cast<int16_t>(ApiKey::fetch);
}

static Reply refuse(RefusalKind kind, std::string detail) {
  Reply reply;
  reply.refusal = Refusal{kind, std::move(detail)};
  return reply;
}

task<Reply> serve_request(Broker& broker, BrokerShard& shard, ClientConnection& connection, ByteView frame,
                          std::shared_ptr<void> bytes) {
  RequestContext context{.broker = broker, .shard = shard, .connection = connection, .bytes = std::move(bytes)};
  context.received_us = shard.shard.now_us();
  const int64_t started_us = shard.shard.read_clock_us();

  protocol::Reader reader(frame);
  context.api_key = reader.int16();
  context.version = reader.int16();
  context.correlation_id = reader.int32();
  if (reader.failed()) co_return refuse(RefusalKind::header, fmt::format("a frame of {} bytes is no request", frame.size()));

  const ApiHandler& handler = find_handler(context.api_key, connection.role);
  if (handler.handle == nullptr)
    co_return refuse(RefusalKind::unknown_api, fmt::format("API key {} is not served here", context.api_key));
  // ApiVersions answers every version, for it is how a client learns the right one (KIP-511).
  const bool is_api_versions = context.api_key == static_cast<int16_t>(ApiKey::api_versions);
  if (!handler.versions.contains(context.version) && !is_api_versions)
    co_return refuse(RefusalKind::unsupported_version, fmt::format("{} version {} is not served here; {} to {} are",
                                                                   handler.name, context.version, handler.versions.min,
                                                                   handler.versions.max));

  context.client_id = reader.nullable_string(false, true).value_or("");
  const protocol::ApiInfo& api = protocol::api_info(static_cast<ApiKey>(context.api_key));
  if (api.request_header_version(context.version) >= 2) {
    std::vector<protocol::TaggedField> ignored;
    reader.unknown_tagged_fields(ignored);
  }
  if (reader.failed())
    co_return refuse(RefusalKind::header, fmt::format("malformed request header: {}", reader.error().to_string()));
  context.body = reader.rest();

  Reply reply = co_await handler.handle(context);
  ApiMetrics& metrics = shard.api_metrics(context.api_key);
  metrics.latency->record_us(shard.shard.read_clock_us() - started_us);
  metrics.requests->add();
  co_return reply;
}

}  // namespace moldau::broker
