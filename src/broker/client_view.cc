#include "broker/client_view.h"

namespace moldau::broker {

metadata::ClientView client_view(const RequestContext& context) {
  return {.listener = context.connection.listener_name,
          .cluster_id = context.broker.cluster_id,
          .node_id = context.broker.config.node_id.value(),
          .version = context.version};
}

}  // namespace moldau::broker
