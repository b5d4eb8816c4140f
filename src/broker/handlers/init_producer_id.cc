// InitProducerId (KIP-98): a producer id for an idempotent producer. Ids come in blocks from the metadata log, so that
// none is given twice, whatever happens to the node.
#include "broker/api_handlers.h"
#include "broker/broker.h"
#include "broker/producer_ids.h"
#include "broker/reply.h"
#include "protocol/messages/init_producer_id_request.h"
#include "protocol/messages/init_producer_id_response.h"

namespace moldau::broker {

using protocol::ErrorCode;
using security::Operation;
using security::ResourceType;

runtime::task<Reply> handle_init_producer_id(RequestContext& context, Gate<ApiKey::init_producer_id> gate) {
  MOLDAU_DECODE(InitProducerIdRequest, request, context);
  protocol::InitProducerIdResponse response;
  const auto refuse = [&](ErrorCode error) {
    response.error_code = static_cast<int16_t>(error);
    response.producer_epoch = -1;
    return make_reply(context, response);
  };
  if (request.transactional_id) {
    if (!gate.may<Operation::write, ResourceType::transactional_id>(*request.transactional_id))
      co_return refuse(ErrorCode::transactional_id_authorization_failed);
    // Kafka's answer to an empty one; for the others there is no transaction coordinator here yet.
    const bool empty = request.transactional_id->empty();
    co_return refuse(empty ? ErrorCode::invalid_request : ErrorCode::coordinator_not_available);
  }
  // Whoever may write to some topic may be idempotent about it (KIP-679).
  if (!gate.may_on_cluster<Operation::idempotent_write>(false) && !gate.may_for_any<Operation::write, ResourceType::topic>())
    co_return refuse(ErrorCode::cluster_authorization_failed);
  const auto id = co_await context.broker.producer_ids->next();
  if (!id) co_return refuse(id.error());
  response.producer_id = id->value();
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
