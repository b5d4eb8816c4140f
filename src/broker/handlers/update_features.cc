// UpdateFeatures (KIP-584): finalizes levels of features.
#include "broker/api_handlers.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

runtime::task<Reply> handle_update_features(RequestContext& context) {
  MOLDAU_DECODE(UpdateFeaturesRequest, request, context);
  co_return make_reply(context, co_await context.broker.quorum->handle(std::move(request), context.version));
}

}  // namespace moldau::broker
