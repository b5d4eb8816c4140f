// DirectoryAssignments: tells the controller in which directory each replica of this node lies, where the metadata has
// another one or none (KIP-858).
//
// Owned by the Broker, on shard 0. What was noted is sent in the background, all that waits in one request; what the
// controller could not write is sent again. Kafka: AssignmentsManager.
#pragma once

#include <unordered_map>

#include "broker/broker.h"

namespace moldau::broker {

class DirectoryAssignments {
 public:
  explicit DirectoryAssignments(Broker& broker) : broker_(broker) {}

  // The replica lies in the directory with this id.
  void note(PartitionKey key, Uuid directory);
  // Sends what waits now; false: something could not be written and waits on.
  [[nodiscard]] runtime::task<bool> send();
  // From now on nothing is sent by itself.
  void stop();

 private:
  runtime::task<void> send_until_done();

  Broker& broker_;
  std::unordered_map<PartitionKey, Uuid, PartitionKeyHash> waiting_;
  runtime::Mutex sending_;
  runtime::Signal stop_asked_;
  bool is_running_ = false;
  bool stopping_ = false;
};

}  // namespace moldau::broker
