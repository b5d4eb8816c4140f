#include <fmt/core.h>
#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <string>

#include "cli/consume.h"
#include "cli/session.h"
#include "cli/table.h"

namespace moldau::cli {

namespace {

std::atomic<int> stop_signals{0};

extern "C" void on_stop_signal(int) {
  if (stop_signals.fetch_add(1) > 0) std::_Exit(static_cast<int>(ExitCode::interrupted));
}

struct DestroyConsumer {
  void operator()(rd_kafka_t* consumer) const { rd_kafka_destroy(consumer); }
};
struct DestroyMessage {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
struct DestroyList {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using Consumer = std::unique_ptr<rd_kafka_t, DestroyConsumer>;
using Message = std::unique_ptr<rd_kafka_message_t, DestroyMessage>;
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyList>;

client::Error error_of(rd_kafka_resp_err_t code, std::string_view what, const std::string& text) {
  const bool is_unreachable = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                              code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE;
  if (is_unreachable) {
    return {.kind = client::Error::Kind::cannot_connect,
            .message = fmt::format("{}: {}", what, text),
            .advice =
                "Is a broker running there? Start one with: moldau server, or name another with "
                "--bootstrap-server"};
  }
  if (code > 0) return client::server_error(static_cast<protocol::ErrorCode>(code), what, text);
  return {.kind = client::Error::Kind::disconnected, .message = fmt::format("{}: {}", what, text)};
}

std::optional<Bytes> copy_of(const void* data, size_t size) {
  if (data == nullptr) return std::nullopt;
  const auto* first = static_cast<const std::byte*>(data);
  return Bytes(first, first + size);
}

client::FetchedRecord record_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  client::FetchedRecord record{.offset = message.offset,
                               .timestamp_ms = rd_kafka_message_timestamp(&message, &type),
                               .key = copy_of(message.key, message.key_len),
                               .value = copy_of(message.payload, message.len)};
  if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME)
    record.timestamp_type = protocol::TimestampType::log_append_time;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
      record.headers.emplace_back(name, copy_of(value, size));
  }
  return record;
}

// A consumer with the settings that the options ask for, or what is wrong.
client::client_result<Consumer> make_consumer(const Context& context, const ConsumeOptions& options) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::string error(512, '\0');
  const auto set = [&](const char* name, const std::string& value) {
    return rd_kafka_conf_set(conf, name, value.c_str(), error.data(), error.size()) == RD_KAFKA_CONF_OK;
  };
  const bool is_set =
      set("bootstrap.servers", context.bootstrap) && set("group.id", options.group) &&
      set("client.id", context.client_id) && set("enable.auto.offset.store", "false") &&
      set("auto.offset.reset", options.from_beginning ? "earliest" : "latest") &&
      set("enable.partition.eof", "true") && set("allow.auto.create.topics", "false") &&
      set("isolation.level",
          options.isolation == client::Isolation::read_committed ? "read_committed" : "read_uncommitted");
  rd_kafka_t* made = is_set ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, error.data(), error.size()) : nullptr;
  if (made == nullptr) {
    rd_kafka_conf_destroy(conf);
    return fail(client::Error{.kind = client::Error::Kind::invalid, .message = std::string(error.c_str())});
  }
  rd_kafka_set_log_level(made, 2);  // its errors come as events
  rd_kafka_poll_set_consumer(made);
  return Consumer(made);
}

// Offsets of records that were put into the output, and are to be committed once they have got there.
class Unwritten {
 public:
  explicit Unwritten(rd_kafka_t* consumer) : consumer_(consumer) {}

  void add(const rd_kafka_message_t& message) {
    next_offsets_[{rd_kafka_topic_name(message.rkt), message.partition}] = message.offset + 1;
    ++records_;
  }
  [[nodiscard]] bool is_many() const { return records_ >= 1000; }
  // False when the output could not be written: then nothing is committed that was not.
  [[nodiscard]] bool write(RecordOutput& output) {
    if (!output.flush()) return false;
    const List offsets(rd_kafka_topic_partition_list_new(static_cast<int>(next_offsets_.size())));
    for (const auto& [partition, next] : next_offsets_)
      rd_kafka_topic_partition_list_add(offsets.get(), partition.first.c_str(), partition.second)->offset = next;
    rd_kafka_offsets_store(consumer_, offsets.get());  // but for partitions that belong to others by now
    next_offsets_.clear();
    records_ = 0;
    return true;
  }

 private:
  rd_kafka_t* consumer_;
  std::map<std::pair<std::string, int32_t>, int64_t> next_offsets_;
  size_t records_ = 0;
};

}  // namespace

ExitCode consume_as_group(const Context& context, const ConsumeOptions& options, RecordOutput& output) {
  if (const auto checked = cluster_options(context); !checked) return fail_with(context, checked.error());
  // librdkafka would wait for a broker or a coordinator for ever, and would not say that the topic is missing.
  const ExitCode reachable = run_with_cluster(context, [&](client::Cluster& cluster) -> task<ExitCode> {
    return [](const Context& shown, const ConsumeOptions& wanted, client::Cluster& asked) -> task<ExitCode> {
      const auto topic = co_await asked.topic(wanted.from.topic);
      if (!topic) co_return fail_with(shown, topic.error());
      const auto coordinator = co_await asked.group_coordinator(wanted.group);
      co_return coordinator ? ExitCode::ok : fail_with(shown, coordinator.error());
    }(context, options, cluster);
  });
  if (reachable != ExitCode::ok) return reachable;

  auto made = make_consumer(context, options);
  if (!made) return fail_with(context, made.error());
  const Consumer consumer = std::move(*made);
  std::signal(SIGINT, on_stop_signal);
  std::signal(SIGTERM, on_stop_signal);

  const List topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), options.from.topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (const auto code = rd_kafka_subscribe(consumer.get(), topics.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail_with(context, error_of(code, "cannot subscribe", rd_kafka_err2str(code)));

  std::optional<client::Error> error;
  std::map<int32_t, bool> ended;
  Unwritten unwritten(consumer.get());
  auto last_record = std::chrono::steady_clock::now();
  bool goes_on = !options.count || *options.count > 0;
  while (goes_on && !error && stop_signals == 0) {
    const Message message(rd_kafka_consumer_poll(consumer.get(), 100));
    if (!message) {
      goes_on = unwritten.write(output);
      const auto idle = std::chrono::steady_clock::now() - last_record;
      if (options.idle_ms && idle >= std::chrono::milliseconds(*options.idle_ms)) break;
      continue;
    }
    switch (message->err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        goes_on = output.put({rd_kafka_topic_name(message->rkt), message->partition}, record_of(*message));
        unwritten.add(*message);
        if (unwritten.is_many()) goes_on = unwritten.write(output) && goes_on;
        ended[message->partition] = false;
        last_record = std::chrono::steady_clock::now();
        break;
      case RD_KAFKA_RESP_ERR__PARTITION_EOF: {
        goes_on = unwritten.write(output);
        ended[message->partition] = true;
        rd_kafka_topic_partition_list_t* raw = nullptr;
        rd_kafka_assignment(consumer.get(), &raw);
        const List assigned(raw);
        bool all_ended = assigned && assigned->cnt > 0;
        for (int i = 0; all_ended && i < assigned->cnt; ++i) all_ended = ended[assigned->elems[i].partition];
        if (options.until_end && all_ended) goes_on = false;
        break;
      }
      case RD_KAFKA_RESP_ERR__TRANSPORT:
      case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        break;  // it reconnects
      default:
        error = error_of(message->err, fmt::format("group {}", options.group),
                         rd_kafka_message_errstr(message.get()));
    }
  }
  (void)unwritten.write(output);
  output.report();
  rd_kafka_commit(consumer.get(), nullptr, 0);
  rd_kafka_consumer_close(consumer.get());
  if (error) return fail_with(context, *error);
  return stop_signals > 0 ? ExitCode::interrupted : output.exit_code_at_end(context);
}

}  // namespace moldau::cli
