#include "broker/producer_ids.h"

#include "broker/quorum_host.h"
#include "protocol/messages/allocate_producer_ids_request.h"
#include "protocol/messages/allocate_producer_ids_response.h"

namespace moldau::broker {

using protocol::ErrorCode;
using runtime::task;

task<result<ProducerId, ErrorCode>> ProducerIds::next() {
  return runtime::call_on(broker_.first_shard().shard, [this] { return next_here(); });
}

task<result<ProducerId, ErrorCode>> ProducerIds::next_here() {
  const runtime::Mutex::Held held = co_await allocating_.lock();
  const std::optional<ProducerId> ready = ids_.take();
  if (ids_.should_request_block(runtime::Shard::current().now_us() / 1000)) {
    protocol::AllocateProducerIdsRequest request;
    request.broker_id = broker_.config.node_id.value();
    const metadata::Broker* self = broker_.first_shard().image->find_broker(request.broker_id);
    request.broker_epoch = self == nullptr ? -1 : self->epoch;
    const protocol::AllocateProducerIdsResponse block = co_await broker_.quorum->handle(security::Authorized::as_node(), std::move(request), 0);
    ids_.on_block(block, runtime::Shard::current().now_us() / 1000);
  }
  if (ready) co_return *ready;
  if (const std::optional<ProducerId> id = ids_.take()) co_return *id;
  co_return fail(ErrorCode::coordinator_load_in_progress);  // clients try again
}

}  // namespace moldau::broker
