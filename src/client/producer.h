// Producer: records in, batches out, each record's fate to its callback.
//
// Records of a partition keep their order: batches go out one after the other, several of them in flight, and
// after a failure that may pass all that are unanswered go out again in order. With idempotence they carry
// sequence numbers, so that a repeated one is stored once (KIP-98). A batch whose fate stays unknown to the
// end makes an idempotent producer useless: it fails for good, and a new one must be made.
//
// One shard. Ends with close(), after which every callback has been called.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cluster.h"
#include "client/offsets.h"
#include "protocol/batch_builder.h"
#include "protocol/messages/produce_response.h"

namespace moldau::client {

struct ProducerOptions {
  int16_t acks = -1;       // -1: all in-sync replicas, 1: the leader, 0: no answer at all
  bool idempotent = true;  // needs acks -1
  protocol::Codec codec = protocol::Codec::none;
  size_t batch_max_bytes = 64 * 1024;   // before compression; a larger record is a batch of its own
  int64_t linger_ms = 5;                // how long a batch waits for more
  int max_in_flight = 5;                // batches of one partition; at most 5 with idempotence
  size_t buffer_max_bytes = 32U << 20;  // send() waits while more is unanswered
  int64_t delivery_timeout_ms = 120'000;
  bool allow_auto_create = true;
  int32_t first_sequence = 0;  // of each partition; a broker that knows nothing of a producer takes any
};

struct OutgoingRecord {
  std::string topic;
  std::optional<int32_t> partition;  // else by the key's hash, else sticky
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::vector<std::pair<std::string, std::optional<Bytes>>> headers;
  std::optional<int64_t> timestamp_ms;  // else now
};

struct Delivery {
  int32_t partition = -1;
  int64_t offset = -1;  // -1: unknown (acks 0, or the broker only knew that it has it)
};

class Producer {
 public:
  using Callback = std::function<void(const client_result<Delivery>&)>;

  Producer(Cluster& cluster, ProducerOptions options);
  ~Producer();

  // Queues a record, after waiting for room. An error means that it was not queued; `delivered` is not called
  // then.
  task<client_result<>> send(OutgoingRecord record, Callback delivered = {});
  // Sends what is queued without lingering and waits until all of it is answered.
  task<void> flush();
  // Flushes and ends. No send() may be under way.
  task<void> close();

  [[nodiscard]] size_t unanswered_bytes() const { return buffered_bytes_; }

 private:
  struct Batch;
  struct Partition;

  task<client_result<>> get_producer_id();
  task<client_result<int32_t>> choose_partition(const OutgoingRecord& record);
  void close_batch(Partition& partition);
  task<void> run(Partition& partition);
  task<void> recover(Partition& partition);
  task<client_result<BrokerPtr>> leader_of(const Partition& partition,
                                           const client_result<TopicMetadata>& topic);
  task<void> deliver(Partition& partition, BrokerPtr broker, std::shared_ptr<Batch> batch,
                     TopicMetadata topic);
  task<client_result<Delivery>> attempt(const Partition& partition, BrokerPtr broker, const Batch& batch,
                                        Uuid topic_id);
  void settle(Partition& partition, const std::shared_ptr<Batch>& batch,
              const client_result<Delivery>& outcome);
  void finish(Partition& partition, const std::shared_ptr<Batch>& batch,
              const client_result<Delivery>& outcome);

  Cluster& cluster_;
  ProducerOptions options_;
  runtime::Scope tasks_;
  std::map<TopicPartition, std::unique_ptr<Partition>> partitions_;
  std::map<std::string, int32_t> sticky_;
  ProducerId producer_id_ = no_producer_id;
  ProducerEpoch producer_epoch_ = no_producer_epoch;
  runtime::Mutex initializing_;
  std::optional<Error> fatal_;
  size_t buffered_bytes_ = 0;
  int flushing_ = 0;
  bool is_closing_ = false;
  runtime::Signal settled_;  // some batch was answered
};

}  // namespace moldau::client
