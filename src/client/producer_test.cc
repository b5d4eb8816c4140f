#include "client/producer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/scripted_broker.h"
#include "protocol/messages/init_producer_id_response.h"
#include "protocol/messages/metadata_response.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/request_header.h"

namespace moldau::client {
namespace {

using protocol::ApiKey;
using protocol::ErrorCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A broker with one topic of one partition, which stores batches as a leader would: in order of their
// sequences.
struct FakeBroker {
  std::vector<std::string> stored;  // "sequence:values"
  std::vector<ErrorCode> failures;  // of the next Produce requests, before anything is stored
  int closes_before_answer = 0;     // stores, then ends the connection in place of an answer
  bool holds_next_write = false;    // stores, ends the connection, and lets the client's write hang: see `held`
  ScriptedConnection* held = nullptr;
  int produce_requests = 0;
  int32_t next_sequence = 0;
  int64_t end_offset = 0;

  void operator()(ScriptedConnection& connection, const ScriptedRequest& request) {
    switch (request.key) {
      case ApiKey::api_versions:
        return connection.answer(request, all_api_versions());
      case ApiKey::metadata:
        return connection.answer(request, metadata());
      case ApiKey::init_producer_id: {
        protocol::InitProducerIdResponse response;
        response.producer_id = 42;
        response.producer_epoch = 0;
        return connection.answer(request, response);
      }
      case ApiKey::produce:
        return produce(connection, request);
      default:
        return connection.end();
    }
  }

  static protocol::MetadataResponse metadata() {
    protocol::MetadataResponse response;
    auto& broker = response.brokers.emplace_back();
    broker.node_id = 1;
    broker.host = "script";
    broker.port = 9092;
    auto& topic = response.topics.emplace_back();
    topic.name = "t";
    topic.topic_id = Uuid{1, 2};
    topic.partitions.emplace_back().leader_id = 1;
    return response;
  }

  ErrorCode append(ByteView bytes) {
    const auto header = protocol::read_batch_header(bytes);
    if (!protocol::is_batch_crc_right(bytes)) return ErrorCode::corrupt_message;
    if (header.has_producer_id()) {
      if (header.base_sequence < next_sequence) return ErrorCode::none;  // a duplicate
      if (header.base_sequence > next_sequence) return ErrorCode::out_of_order_sequence_number;
      next_sequence = header.last_sequence() + 1;
    }
    std::string text = fmt::format("{}:", header.base_sequence);
    protocol::RecordIterator records(bytes);
    while (const protocol::Record* record = *records.next()) text += as_text(*record->value);
    stored.push_back(text);
    end_offset += header.count;
    return ErrorCode::none;
  }

  void produce(ScriptedConnection& connection, const ScriptedRequest& request) {
    ++produce_requests;
    protocol::Reader reader(ByteView(request.frame).subspan(4));
    (void)protocol::decode<protocol::RequestHeader>(reader, 2);
    const auto decoded = protocol::decode<protocol::ProduceRequest>(reader, request.version);
    ASSERT_TRUE(decoded);
    const ByteView bytes = decoded->topic_data.at(0).partition_data.at(0).records.bytes;
    ErrorCode code = ErrorCode::none;
    if (!failures.empty()) {
      code = failures.front();
      failures.erase(failures.begin());
    }
    // Sequences and offsets run alike here, so that a duplicate gets its first offset again.
    const auto header = protocol::read_batch_header(bytes);
    const int64_t base_offset = header.has_producer_id() ? header.base_sequence : end_offset;
    if (code == ErrorCode::none) code = append(bytes);
    if (closes_before_answer > 0) {
      --closes_before_answer;
      return connection.end();
    }
    if (std::exchange(holds_next_write, false)) {
      held = &connection;
      connection.hold_write();
      return connection.end();
    }
    protocol::ProduceResponse response;
    auto& topic = response.responses.emplace_back();
    topic.topic_id = Uuid{1, 2};
    auto& partition = topic.partition_responses.emplace_back();
    partition.error_code = static_cast<int16_t>(code);
    partition.base_offset = code == ErrorCode::none ? base_offset : -1;
    if (decoded->acks != 0) connection.answer(request, response);
  }
};

struct Outcome {
  std::vector<std::string> lines;  // "offset" or the error's name, in the order of answers
};

task<void> send_all(ScriptedEnvironment& environment, ProducerOptions options,
                    std::vector<std::string> values, Outcome& outcome) {
  ClusterOptions cluster_options;
  cluster_options.bootstrap = {{"script", 9092}};
  cluster_options.retry_backoff_ms = 1;
  Cluster cluster(environment, cluster_options);
  {
    Producer producer(cluster, options);
    for (const std::string& value : values) {
      auto queued = co_await producer.send(
          {.topic = "t", .partition = 0, .value = to_bytes(value)}, [&outcome](const auto& delivery) {
            outcome.lines.push_back(delivery ? std::to_string(delivery->offset)
                                             : std::string(protocol::error_name(delivery.error().code)));
          });
      if (!queued) outcome.lines.push_back("not queued: " + queued.error().message);
    }
    co_await producer.close();
    EXPECT_EQ(producer.unanswered_bytes(), 0U);
  }
  co_await cluster.close();
}

Outcome run(FakeBroker& broker, ProducerOptions options, std::vector<std::string> values) {
  Outcome outcome;
  ScriptedEnvironment environment([&broker](ScriptedConnection& connection, const ScriptedRequest& request) {
    broker(connection, request);
  });
  environment.run([&] { return send_all(environment, options, values, outcome); });
  return outcome;
}

// Each record a batch of its own.
ProducerOptions one_a_batch() { return {.batch_max_bytes = 1, .linger_ms = 0}; }

TEST(Producer, NumbersBatchesAndGivesEachRecordItsOffset) {
  FakeBroker broker;
  EXPECT_THAT(run(broker, one_a_batch(), {"a", "b", "c"}).lines, ElementsAre("0", "1", "2"));
  EXPECT_THAT(broker.stored, ElementsAre("0:a", "1:b", "2:c"));
}

TEST(Producer, PutsWhatComesTogetherIntoOneBatch) {
  FakeBroker broker;
  EXPECT_THAT(run(broker, {.codec = protocol::Codec::lz4, .linger_ms = 1000}, {"a", "b", "c"}).lines,
              ElementsAre("0", "1", "2"));
  EXPECT_THAT(broker.stored, ElementsAre("0:abc"));
}

TEST(Producer, KeepsOrderAndNumbersWhenOneOfManyInFlightMustGoAgain) {
  FakeBroker broker;
  broker.failures = {ErrorCode::none, ErrorCode::not_leader_or_follower};
  EXPECT_THAT(run(broker, one_a_batch(), {"a", "b", "c", "d", "e", "f", "g"}).lines,
              ElementsAre("0", "1", "2", "3", "4", "5", "6"));
  EXPECT_THAT(broker.stored, ElementsAre("0:a", "1:b", "2:c", "3:d", "4:e", "5:f", "6:g"));
}

TEST(Producer, StoresABatchOnceThoughItsAnswerWasLost) {
  FakeBroker broker;
  broker.closes_before_answer = 1;
  EXPECT_THAT(run(broker, one_a_batch(), {"a", "b"}).lines, ElementsAre("0", "1"));
  EXPECT_THAT(broker.stored, ElementsAre("0:a", "1:b"));
  EXPECT_GE(broker.produce_requests, 3);
}

TEST(Producer, GoesOnBehindARefusedBatchWithoutAGap) {
  FakeBroker broker;
  broker.failures = {ErrorCode::message_too_large};
  EXPECT_THAT(run(broker, one_a_batch(), {"a", "b", "c"}).lines, ElementsAre("MESSAGE_TOO_LARGE", "0", "1"));
  EXPECT_THAT(broker.stored, ElementsAre("0:b", "1:c"));
}

TEST(Producer, FailsForGoodWhenABatchsFateStaysUnknown) {
  FakeBroker broker;
  broker.closes_before_answer = 1000;
  ProducerOptions options = one_a_batch();
  options.delivery_timeout_ms = 50;
  const auto lines = run(broker, options, {"a", "b"}).lines;
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines, ElementsAre("NONE", "NONE")) << "a connection's error, not a broker's";
}

TEST(Producer, AsksForNoAnswerWithAcksZero) {
  FakeBroker broker;
  ProducerOptions options = one_a_batch();
  options.acks = 0;
  options.idempotent = false;
  EXPECT_THAT(run(broker, options, {"a", "b"}).lines, ElementsAre("-1", "-1"));
  EXPECT_THAT(broker.stored, ElementsAre("-1:a", "-1:b"));
}

// The first batch is in the log and its answer lost with its connection, but its write hangs, so that the producer does not
// know yet when the second batch goes over a new connection and is answered.
task<void> lose_the_first_answer(ScriptedEnvironment& environment, FakeBroker& broker, Outcome& outcome) {
  ClusterOptions cluster_options;
  cluster_options.bootstrap = {{"script", 9092}};
  cluster_options.retry_backoff_ms = 1;
  Cluster cluster(environment, cluster_options);
  Producer producer(cluster, one_a_batch());
  const auto note = [&outcome](const auto& delivery) {
    outcome.lines.push_back(delivery ? std::to_string(delivery->offset) : delivery.error().message);
  };
  broker.holds_next_write = true;
  EXPECT_TRUE(co_await producer.send({.topic = "t", .partition = 0, .value = to_bytes("a")}, note));
  while (broker.held == nullptr) co_await runtime::yield();
  EXPECT_TRUE(co_await producer.send({.topic = "t", .partition = 0, .value = to_bytes("b")}, note));
  while (outcome.lines.empty()) co_await runtime::yield();
  broker.held->release_write();
  EXPECT_TRUE(co_await producer.send({.topic = "t", .partition = 0, .value = to_bytes("c")}, note));
  co_await producer.close();
  co_await cluster.close();
}

TEST(Producer, TakesNoNumberBackWhenALaterBatchIsAnsweredFirst) {
  FakeBroker broker;
  Outcome outcome;
  ScriptedEnvironment environment([&broker](ScriptedConnection& connection, const ScriptedRequest& request) {
    broker(connection, request);
  });
  environment.run([&] { return lose_the_first_answer(environment, broker, outcome); });
  EXPECT_THAT(outcome.lines, ElementsAre("1", "2", "0"));
  EXPECT_THAT(broker.stored, ElementsAre("0:a", "1:b", "2:c"));
}

TEST(Producer, RefusesAPartitionThatIsNotThere) {
  FakeBroker broker;
  Outcome outcome;
  ScriptedEnvironment environment([&broker](ScriptedConnection& connection, const ScriptedRequest& request) {
    broker(connection, request);
  });
  environment.run([&]() -> task<void> {
    return [](ScriptedEnvironment& world, Outcome& seen) -> task<void> {
      Cluster cluster(world, {.bootstrap = {{"script", 9092}}});
      Producer producer(cluster, {});
      auto queued = co_await producer.send({.topic = "t", .partition = 5, .value = to_bytes("x")});
      seen.lines.push_back(queued ? "queued" : queued.error().message);
      co_await producer.close();
      co_await cluster.close();
    }(environment, outcome);
  });
  EXPECT_THAT(outcome.lines, ElementsAre(HasSubstr("topic t has no partition 5, only 0 to 0")));
}

}  // namespace
}  // namespace moldau::client
