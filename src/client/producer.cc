#include "client/producer.h"

#include <fmt/core.h>

#include <algorithm>

#include "client/partitioner.h"
#include "protocol/messages/init_producer_id_request.h"
#include "protocol/messages/init_producer_id_response.h"
#include "protocol/messages/produce_request.h"

namespace moldau::client {

using protocol::ErrorCode;

struct Producer::Batch {
  explicit Batch(protocol::BatchOptions options) : builder(options) {}
  protocol::BatchBuilder builder;
  Bytes bytes;  // once closed
  int32_t count = 0;
  int32_t base_sequence = -1;
  size_t buffered_bytes = 0;
  int64_t opened_us = 0;
  bool is_sent = false;
  std::vector<Callback> callbacks;
};

struct Producer::Partition {
  TopicPartition id;
  std::shared_ptr<Batch> open;
  std::deque<std::shared_ptr<Batch>> queue;  // closed and unanswered, in order
  int in_flight = 0;
  int32_t acknowledged_sequence = 0;  // after the last batch that the broker is known to have
  int32_t next_sequence = 0;          // of the next batch that is closed
  bool is_recovering = false;         // what is in flight must come back before anything is sent again
  runtime::Signal changed;
};

namespace {

constexpr size_t record_overhead_bytes = 32;

size_t size_of(const OutgoingRecord& record) {
  size_t bytes = record_overhead_bytes;
  if (record.key) bytes += record.key->size();
  if (record.value) bytes += record.value->size();
  for (const auto& [name, value] : record.headers) bytes += name.size() + (value ? value->size() : 0) + 4;
  return bytes;
}

// Whether one sequence comes before another; they wrap at 2^31 and are never far apart.
bool is_before(int32_t a, int32_t b) {
  const uint32_t steps = (static_cast<uint32_t>(b) - static_cast<uint32_t>(a)) & 0x7fffffffU;
  return steps != 0 && steps < 1U << 30;
}

std::optional<ByteView> view_of(const std::optional<Bytes>& bytes) {
  return bytes ? std::optional<ByteView>(*bytes) : std::nullopt;
}

// Puts the producer's identity into a finished batch.
void stamp(Bytes& batch, ProducerId id, ProducerEpoch epoch, int32_t base_sequence) {
  protocol::RecordBatchHeader header = protocol::read_batch_header(batch);
  header.producer_id = id;
  header.producer_epoch = epoch;
  header.base_sequence = base_sequence;
  protocol::write_batch_header(batch, header);
  header.crc = protocol::batch_crc(batch);
  protocol::write_batch_header(batch, header);
}

}  // namespace

Producer::Producer(Cluster& cluster, ProducerOptions options) : cluster_(cluster), options_(options) {
  MOLDAU_ASSERT_MSG(!options_.idempotent || options_.acks == -1,
                    "an idempotent producer waits for all replicas");
  MOLDAU_ASSERT(options_.max_in_flight >= 1 && (!options_.idempotent || options_.max_in_flight <= 5));
}
Producer::~Producer() = default;

task<client_result<>> Producer::get_producer_id() {
  const auto held = co_await initializing_.lock();
  if (producer_id_ != no_producer_id) co_return client_result<>{};
  const int64_t deadline_us = cluster_.retry_deadline_us();
  while (true) {
    protocol::InitProducerIdRequest request;
    request.transactional_id.reset();
    request.transaction_timeout_ms = 60'000;
    MOLDAU_CO_TRY(auto reply,
                  co_await cluster_.call_any<protocol::InitProducerIdResponse>(std::move(request)));
    const ErrorCode code = error_code(reply.message.error_code);
    if (code == ErrorCode::none) {
      producer_id_ = ProducerId(reply.message.producer_id);
      producer_epoch_ = ProducerEpoch(reply.message.producer_epoch);
      co_return client_result<>{};
    }
    if (!is_worth_retrying(code) || !co_await cluster_.back_off(deadline_us))
      co_return fail(server_error(code, "cannot get a producer id"));
  }
}

task<client_result<int32_t>> Producer::choose_partition(const OutgoingRecord& record) {
  MOLDAU_CO_TRY(const TopicMetadata topic, co_await cluster_.topic(record.topic, options_.allow_auto_create));
  const auto count = static_cast<int32_t>(topic.partitions.size());
  if (record.partition) {
    if (*record.partition >= 0 && *record.partition < count) co_return *record.partition;
    co_return fail(
        Error{.kind = Error::Kind::invalid,
              .code = ErrorCode::unknown_topic_or_partition,
              .message = fmt::format("topic {} has no partition {}, only 0 to {}", record.topic,
                                     *record.partition, count - 1),
              .advice = fmt::format("See its partitions with: moldau topic describe {}", record.topic)});
  }
  if (record.key) co_return partition_of_key(*record.key, count);
  const auto [sticky, is_new] = sticky_.try_emplace(record.topic, 0);
  if (is_new || sticky->second >= count)
    sticky->second = static_cast<int32_t>(cluster_.environment().random() % static_cast<uint64_t>(count));
  co_return sticky->second;
}

task<client_result<>> Producer::send(OutgoingRecord record, Callback delivered) {
  MOLDAU_ASSERT(!is_closing_);
  if (options_.idempotent && producer_id_ == no_producer_id) MOLDAU_CO_CHECK(co_await get_producer_id());
  MOLDAU_CO_TRY(const int32_t index, co_await choose_partition(record));
  const size_t bytes = size_of(record);
  while (!fatal_ && buffered_bytes_ > 0 && buffered_bytes_ + bytes > options_.buffer_max_bytes)
    co_await settled_.wait();
  if (fatal_) co_return fail(*fatal_);

  const TopicPartition id{record.topic, index};
  auto& slot = partitions_[id];
  if (!slot) {
    slot = std::make_unique<Partition>();
    slot->id = id;
    slot->acknowledged_sequence = slot->next_sequence = options_.first_sequence;
    tasks_.spawn(run(*slot));
  }
  Partition& partition = *slot;
  if (partition.open &&
      partition.open->builder.uncompressed_size_bytes() + bytes > options_.batch_max_bytes) {
    close_batch(partition);
    if (!record.key && !record.partition) sticky_.erase(record.topic);
  }
  if (!partition.open) {
    partition.open = std::make_shared<Batch>(protocol::BatchOptions{.codec = options_.codec});
    partition.open->opened_us = runtime::Shard::current().now_us();
  }
  std::vector<protocol::RecordHeader> headers;
  for (const auto& [name, value] : record.headers) headers.push_back({name, view_of(value)});
  Batch& batch = *partition.open;
  batch.builder.append(record.timestamp_ms.value_or(cluster_.environment().wall_clock_ms()),
                       view_of(record.key), view_of(record.value), headers);
  batch.callbacks.push_back(std::move(delivered));
  batch.buffered_bytes += bytes;
  buffered_bytes_ += bytes;
  partition.changed.notify_all();
  co_return client_result<>{};
}

void Producer::close_batch(Partition& partition) {
  const std::shared_ptr<Batch> batch = std::exchange(partition.open, nullptr);
  batch->count = batch->builder.count();
  batch->bytes = batch->builder.finish();
  if (options_.idempotent) {
    batch->base_sequence = partition.next_sequence;
    partition.next_sequence = protocol::advance_sequence(batch->base_sequence, batch->count);
    stamp(batch->bytes, producer_id_, producer_epoch_, batch->base_sequence);
  }
  partition.queue.push_back(batch);
}

task<void> Producer::run(Partition& partition) {
  runtime::Shard& shard = runtime::Shard::current();
  while (true) {
    const bool is_pressed = flushing_ > 0 || is_closing_;
    const int64_t due_us = partition.open ? partition.open->opened_us + options_.linger_ms * 1000 : INT64_MAX;
    if (partition.open && (is_pressed || fatal_ || shard.now_us() >= due_us)) close_batch(partition);
    if (fatal_) {
      while (!partition.queue.empty() && partition.in_flight == 0)
        finish(partition, std::shared_ptr<Batch>(partition.queue.front()), fail(*fatal_));
    } else if (partition.is_recovering && partition.in_flight == 0) {
      co_await recover(partition);
      continue;
    }
    const auto next =
        std::ranges::find_if(partition.queue, [](const auto& batch) { return !batch->is_sent; });
    if (!fatal_ && !partition.is_recovering && next != partition.queue.end() &&
        partition.in_flight < options_.max_in_flight) {
      const std::shared_ptr<Batch> batch = *next;
      auto topic = co_await cluster_.topic(partition.id.topic, options_.allow_auto_create);
      client_result<BrokerPtr> broker = co_await leader_of(partition, topic);
      if (partition.is_recovering || fatal_) continue;  // an earlier batch failed meanwhile
      batch->is_sent = true;
      ++partition.in_flight;
      if (!broker) {
        settle(partition, batch, fail(Error(broker.error())));
      } else {
        tasks_.spawn(deliver(partition, std::move(*broker), batch, std::move(*topic)));
      }
      continue;
    }
    if (is_closing_ && !partition.open && partition.queue.empty()) co_return;
    if (partition.open)
      co_await partition.changed.wait_until(due_us);
    else
      co_await partition.changed.wait();
  }
}

task<client_result<BrokerPtr>> Producer::leader_of(const Partition& partition,
                                                   const client_result<TopicMetadata>& topic) {
  if (!topic) co_return fail(Error(topic.error()));
  const auto index = static_cast<size_t>(partition.id.partition);
  if (index >= topic->partitions.size()) {  // made anew with fewer
    co_return fail(server_error(ErrorCode::unknown_topic_or_partition,
                                fmt::format("cannot write to {}-{}", partition.id.topic, index)));
  }
  co_return co_await cluster_.broker(topic->partitions[index].leader_id);
}

// Everything is answered that will be: after a pause, what is left goes out again under the numbers that the
// broker expects next. A batch before one that was acknowledged is in the log, only its answer was lost: it keeps its
// number, so that the broker recognises it.
task<void> Producer::recover(Partition& partition) {
  co_await runtime::sleep_ms(cluster_.options().retry_backoff_ms);
  int32_t sequence = partition.acknowledged_sequence;
  for (const auto& batch : partition.queue) {
    batch->is_sent = false;
    if (!options_.idempotent || is_before(batch->base_sequence, partition.acknowledged_sequence)) continue;
    if (batch->base_sequence != sequence) {
      batch->base_sequence = sequence;
      stamp(batch->bytes, producer_id_, producer_epoch_, sequence);
    }
    sequence = protocol::advance_sequence(sequence, batch->count);
  }
  partition.next_sequence = sequence;
  partition.is_recovering = false;
}

task<void> Producer::deliver(Partition& partition, BrokerPtr broker, std::shared_ptr<Batch> batch,
                             TopicMetadata topic) {
  settle(partition, batch, co_await attempt(partition, std::move(broker), *batch, topic.id));
}

task<client_result<Delivery>> Producer::attempt(const Partition& partition, BrokerPtr broker,
                                                const Batch& batch, Uuid topic_id) {
  protocol::ProduceRequest request;
  request.transactional_id.reset();
  request.acks = options_.acks;
  request.timeout_ms = static_cast<int32_t>(cluster_.options().connection.request_timeout_ms);
  auto& topic = request.topic_data.emplace_back();
  topic.name = partition.id.topic;
  topic.topic_id = topic_id;
  auto& data = topic.partition_data.emplace_back();
  data.index = partition.id.partition;
  data.records = protocol::Records(batch.bytes);
  const int16_t max_version = topic_id.is_zero() ? int16_t{12} : int16_t{INT16_MAX};  // 13 names topics by id
  if (options_.acks == 0) {
    MOLDAU_CO_CHECK(co_await broker->send_only(std::move(request), max_version));
    co_return Delivery{.partition = partition.id.partition, .offset = -1};
  }
  MOLDAU_CO_TRY(auto reply,
                co_await broker->call<protocol::ProduceResponse>(std::move(request), 0, max_version));
  if (reply.message.responses.size() != 1 ||
      reply.message.responses.front().partition_responses.size() != 1) {
    co_return fail(
        Error{.kind = Error::Kind::malformed,
              .message = fmt::format("{} did not answer for the one partition sent", broker->address())});
  }
  const auto& answer = reply.message.responses.front().partition_responses.front();
  const ErrorCode code = error_code(answer.error_code);
  if (code == ErrorCode::none)
    co_return Delivery{.partition = partition.id.partition, .offset = answer.base_offset};
  if (code == ErrorCode::duplicate_sequence_number)
    co_return Delivery{.partition = partition.id.partition, .offset = -1};
  std::string detail = answer.error_message.value_or("");
  if (!answer.record_errors.empty()) {
    const auto& first = answer.record_errors.front();
    detail += fmt::format("{}record {} of the batch: {}", detail.empty() ? "" : "; ", first.batch_index,
                          first.batch_index_error_message.value_or("refused"));
  }
  co_return fail(server_error(
      code, fmt::format("cannot write to {}-{}", partition.id.topic, partition.id.partition), detail));
}

void Producer::settle(Partition& partition, const std::shared_ptr<Batch>& batch,
                      const client_result<Delivery>& outcome) {
  --partition.in_flight;
  if (outcome) {
    const int32_t after = protocol::advance_sequence(batch->base_sequence, batch->count);
    // Answers of one connection come in order, those of two need not.
    if (is_before(partition.acknowledged_sequence, after)) partition.acknowledged_sequence = after;
    return finish(partition, batch, outcome);
  }
  const Error& error = outcome.error();
  const bool is_first = partition.queue.front() == batch;
  if (error.kind == Error::Kind::server && needs_new_metadata(error.code))
    cluster_.forget_topic(partition.id.topic);
  if (error.kind != Error::Kind::server) cluster_.forget_topic(partition.id.topic);
  const int64_t age_us = runtime::Shard::current().now_us() - batch->opened_us;
  const bool has_time = age_us < options_.delivery_timeout_ms * 1000;
  // A batch before this one failed, so its number came too early; it may go out again behind that one.
  const bool came_too_early = options_.idempotent && error.code == ErrorCode::out_of_order_sequence_number &&
                              (!is_first || partition.is_recovering);
  // A topic that is being deleted or was just made; the batch's time decides.
  const bool may_appear = error.code == ErrorCode::unknown_topic_or_partition;
  const bool may_repeat = is_worth_retrying(error) || came_too_early || may_appear;
  if (may_repeat && (has_time || !is_first)) {
    partition.is_recovering = true;
    partition.changed.notify_all();
    return;
  }
  const bool is_fate_unknown = error.kind != Error::Kind::server && error.kind != Error::Kind::invalid;
  if (options_.idempotent && (is_fate_unknown || error.code == ErrorCode::out_of_order_sequence_number ||
                              error.code == ErrorCode::invalid_producer_epoch)) {
    fatal_ = error;
    for (const auto& [id, other] : partitions_) other->changed.notify_all();
  } else if (options_.idempotent) {
    partition.is_recovering = true;  // those behind it are refused for the gap that it leaves
  }
  finish(partition, batch, outcome);
}

void Producer::finish(Partition& partition, const std::shared_ptr<Batch>& batch,
                      const client_result<Delivery>& outcome) {
  const std::shared_ptr<Batch> held = batch;
  std::erase(partition.queue, held);
  buffered_bytes_ -= held->buffered_bytes;
  for (size_t i = 0; i < held->callbacks.size(); ++i) {
    if (!held->callbacks[i]) continue;
    if (!outcome) {
      held->callbacks[i](outcome);
    } else {
      Delivery delivery = *outcome;
      if (delivery.offset >= 0) delivery.offset += static_cast<int64_t>(i);
      held->callbacks[i](delivery);
    }
  }
  partition.changed.notify_all();
  settled_.notify_all();
}

task<void> Producer::flush() {
  ++flushing_;
  for (const auto& [id, partition] : partitions_) partition->changed.notify_all();
  while (buffered_bytes_ > 0) co_await settled_.wait();
  --flushing_;
}

task<void> Producer::close() {
  co_await flush();
  is_closing_ = true;
  for (const auto& [id, partition] : partitions_) partition->changed.notify_all();
  co_await tasks_.join();
}

}  // namespace moldau::client
