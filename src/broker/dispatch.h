// From a frame to the handler of its API, and back to a frame.
#pragma once

#include <memory>

#include "broker/request.h"
#include "runtime/task.h"

namespace moldau::broker {

// Whether a request may start while earlier ones of its connection are still served: Produce and Fetch may overlap one
// another, everything else waits its turn as it does in Kafka. Reads only the first two bytes of the frame.
[[nodiscard]] bool may_overlap(ByteView frame);

// Serves one request on the calling shard. Malformed bytes give a Reply with a refusal.
runtime::task<Reply> serve_request(Broker& broker, BrokerShard& shard, ClientConnection& connection, ByteView frame,
                                   std::shared_ptr<void> bytes);

}  // namespace moldau::broker
