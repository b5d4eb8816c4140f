// Binds the node's stock of producer ids (transactions/producer_ids.h) to the controller that fills it.
//
// Owned by the Broker; lives on shard 0, asked from any.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "protocol/error_code.h"
#include "runtime/signal.h"
#include "transactions/producer_ids.h"

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
  transactions::ProducerIds ids_;
  runtime::Mutex allocating_;
};

}  // namespace moldau::broker
