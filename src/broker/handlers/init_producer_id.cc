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

runtime::task<Reply> handle_init_producer_id(RequestContext& context) {
  MOLDAU_DECODE(InitProducerIdRequest, request, context);
  protocol::InitProducerIdResponse response;
  if (request.transactional_id) {
    // Kafka's answer to an empty one; for the others there is no transaction coordinator here yet.
    const bool empty = request.transactional_id->empty();
    response.error_code = static_cast<int16_t>(empty ? ErrorCode::invalid_request : ErrorCode::coordinator_not_available);
    response.producer_epoch = -1;
    co_return make_reply(context, response);
  }
  const auto id = co_await context.broker.producer_ids->next();
  if (!id)
    response.error_code = static_cast<int16_t>(id.error()), response.producer_epoch = -1;
  else
    response.producer_id = id->value();
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
