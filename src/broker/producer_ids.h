// The producer ids that this node may give out: a block at a time from the controller.
//
// Owned by the Broker; lives on shard 0, asked from any.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "protocol/error_code.h"
#include "runtime/signal.h"

namespace moldau::broker {

class Broker;

class ProducerIds {
 public:
  explicit ProducerIds(Broker& broker) : broker_(broker) {}

  // An id that nobody else has or gets.
  [[nodiscard]] runtime::task<result<ProducerId, protocol::ErrorCode>> next();

 private:
  [[nodiscard]] runtime::task<result<ProducerId, protocol::ErrorCode>> next_here();

  Broker& broker_;
  int64_t next_ = 0;
  int64_t end_ = 0;  // of the block
  runtime::Mutex allocating_;
};

}  // namespace moldau::broker
