// QuorumHost: binds the quorum of one and the controller to disk and to the broker's shards.
//
// Lives on the quorum's own shard with its log and its open files, owned by the Broker; all but handle() is called there.
// Every change goes the same way: the controller turns a request into records, they become one batch of
// __cluster_metadata-0, the batch is on disk, the controller replays it, every shard has the new image and has acted on it,
// and only then does the requester get the reply. One change at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/broker.h"
#include "controller/controller.h"
#include "raft/quorum_of_one.h"
#include "runtime/signal.h"
#include "security/gate.h"
#include "storage/log.h"
#include "storage/open_files.h"

namespace moldau::broker {

struct QuorumHostOptions {
  storage::LogOptions log;   // of __cluster_metadata-0, but for its open files
  raft::QuorumOptions quorum;
  controller::ControllerOptions controller;
  metadata::MetadataRecords bootstrap;  // what an empty log begins with
};

class QuorumHost {
 public:
  // Opens the log and reads the newest snapshot and what lies behind it; the error is a sentence. Nothing is written yet.
  [[nodiscard]] static runtime::task<result<std::unique_ptr<QuorumHost>, std::string>> open(Broker& broker,
                                                                                            QuorumHostOptions options);

  // Becomes leader of the next epoch and writes what a new leader writes.
  [[nodiscard]] runtime::task<result<void, std::string>> lead();

  // From now on every shard gets each new image; the current one first.
  [[nodiscard]] runtime::task<void> publish_to_shards();

  // A request to the controller, from any shard. `access` allows what is left of it.
  template <class Request>
  auto handle([[maybe_unused]] security::Authorized access, Request request, int16_t version) {
    using Answer = decltype(std::declval<controller::Controller&>().handle(request, std::declval<controller::RequestContext>()));
    using Response = decltype(std::declval<Answer>().response);
    return runtime::call_on(broker_.quorum_shard(), [this, request = std::move(request), version]() mutable {
      return handle_here<Request, Response>(std::move(request), version);
    });
  }

  [[nodiscard]] const metadata::MetadataImagePtr& image() const { return controller_.image(); }
  [[nodiscard]] const raft::QuorumOfOne& quorum() const { return quorum_; }

  // Writes a snapshot and cuts the log where that is due. To be called now and then.
  [[nodiscard]] runtime::task<void> maintain();
  [[nodiscard]] runtime::task<void> stop();

 private:
  // The log of __cluster_metadata with the cache of its files, which must outlive it.
  struct MetadataLog {
    std::unique_ptr<storage::OpenFiles> files;
    std::shared_ptr<storage::Log> log;
  };

  QuorumHost(Broker& broker, MetadataLog log, QuorumHostOptions options, raft::QuorumOfOne quorum,
             metadata::MetadataImagePtr start);
  [[nodiscard]] static runtime::task<result<MetadataLog, std::string>> open_log(runtime::FileSystem& files,
                                                                                storage::LogOptions options);

  template <class Request, class Response>
  runtime::task<Response> handle_here(Request request, int16_t version) {
    const runtime::Mutex::Held held = co_await changing_.lock();
    auto answer = controller_.handle(request, request_context(version));
    if (!answer.records.empty() && !co_await commit(std::move(answer.records)))
      answer.response = controller_unavailable(std::move(answer.response));
    if constexpr (requires { answer.log_level; })
      if (answer.log_level) broker_.logger_level.set(*answer.log_level);
    co_return std::move(answer.response);
  }

  // What the client gets when the metadata log cannot be written: nothing of what it asked for was done.
  template <class Response>
  static Response controller_unavailable(Response response) {
    const auto refuse = [](auto& one) {
      if (one.error_code != 0) return;
      one.error_code = static_cast<int16_t>(protocol::ErrorCode::kafka_storage_error);
      if constexpr (requires { one.error_message; }) one.error_message = "The metadata log cannot be written.";
    };
    if constexpr (requires { response.error_code; })
      refuse(response);
    else if constexpr (requires { response.topics; })
      std::ranges::for_each(response.topics, refuse);
    else if constexpr (requires { response.responses; })
      std::ranges::for_each(response.responses, refuse);
    else if constexpr (requires { response.results; })
      std::ranges::for_each(response.results, refuse);
    else
      std::ranges::for_each(response.entries, refuse);
    return response;
  }

  void assert_on_own_shard() const;
  [[nodiscard]] runtime::task<result<void, std::string>> load();
  [[nodiscard]] result<void, std::string> replay(const raft::MetadataBatch& batch);
  [[nodiscard]] controller::RequestContext request_context(int16_t version) const;
  // Appends, flushes, replays and publishes. False if the disk failed: then the metadata log takes nothing more.
  [[nodiscard]] runtime::task<bool> commit(metadata::MetadataRecords records);
  [[nodiscard]] runtime::task<result<void, std::string>> append_and_flush(Bytes batch);
  [[nodiscard]] runtime::task<void> publish(metadata::PublishedMetadata published);
  [[nodiscard]] runtime::task<result<void, std::string>> write_snapshot();

  Broker& broker_;
  std::unique_ptr<storage::OpenFiles> open_files_;
  std::shared_ptr<storage::Log> log_;
  QuorumHostOptions options_;
  raft::QuorumOfOne quorum_;
  controller::Controller controller_;
  std::optional<metadata::PublishedMetadata> unpublished_;  // replayed before publish_to_shards
  runtime::Mutex changing_;
  bool publishing_ = false;
  bool failed_ = false;
};

}  // namespace moldau::broker
