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
  if (next_ == end_) {
    protocol::AllocateProducerIdsRequest request;
    request.broker_id = broker_.config.node_id.value();
    const metadata::Broker* self = broker_.quorum->image()->find_broker(request.broker_id);
    request.broker_epoch = self == nullptr ? -1 : self->epoch;
    const protocol::AllocateProducerIdsResponse block = co_await broker_.quorum->handle(std::move(request), 0);
    if (block.error_code != 0) co_return fail(static_cast<ErrorCode>(block.error_code));
    next_ = block.producer_id_start;
    end_ = next_ + block.producer_id_len;
  }
  co_return ProducerId(next_++);
}

}  // namespace moldau::broker
