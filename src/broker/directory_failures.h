// DirectoryFailures: what follows when a log directory goes offline while the node runs: those who wait for its partitions
// are told, moves from it and to it end, and the controller learns of it, so that nobody is sent to what it held. Without
// its metadata, without any directory, or if the controller cannot be told within log.dir.failure.timeout.ms, the node
// ends, as Kafka does.
//
// Owned by the Broker; attach() before, watch() once the logs are open, the rest by itself on shard 0.
#pragma once

#include "broker/broker.h"

namespace moldau::broker {

struct LogDir;

class DirectoryFailures {
 public:
  explicit DirectoryFailures(Broker& broker) : broker_(broker) {}

  // Before a log is opened.
  void attach();
  // Deals with what has failed until now, and with what fails from now on. On shard 0.
  [[nodiscard]] runtime::task<void> watch();
  void stop();

 private:
  void failed(LogDir& directory);
  runtime::task<void> handle(LogDir& directory);
  runtime::task<bool> tell_controller();

  Broker& broker_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool watching_ = false;
  bool stopping_ = false;
  runtime::Signal stop_asked_;
};

}  // namespace moldau::broker
