// UpdateFeatures (KIP-584): finalizes levels of features.
#include "broker/api_handlers.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

runtime::task<Reply> handle_update_features(RequestContext& context, Gate<ApiKey::update_features> gate) {
  MOLDAU_DECODE(UpdateFeaturesRequest, request, context);
  const auto access = gate.may_on_cluster<security::Operation::alter>();
  if (!access) {
    protocol::UpdateFeaturesResponse refused;
    refused.error_code = static_cast<int16_t>(protocol::ErrorCode::cluster_authorization_failed);
    refused.error_message = protocol::error_message(protocol::ErrorCode::cluster_authorization_failed);
    co_return make_reply(context, refused);
  }
  co_return make_reply(context, co_await context.broker.quorum->handle(*access, std::move(request), context.version));
}

}  // namespace moldau::broker
