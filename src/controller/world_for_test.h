// For tests: a controller with its log, and what brokers and clients say to it.
#pragma once

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "controller/controller.h"
#include "controller/local_node.h"
#include "metadata/snapshot_records.h"

namespace moldau::controller::test {

using metadata::MetadataImage;
using metadata::MetadataRecords;

inline Uuid id_of(int64_t number) { return {number * 7919, number + 1000}; }

// A controller with its log: answers are appended and replayed at once.
class World {
 public:
  explicit World(int32_t brokers = 1) {
    ControllerOptions options = options_now();
    controller_.emplace(options, std::make_shared<const MetadataImage>());
    controller_->set_kraft_version(1);
    append(controller_->activate(bootstrap_records()));
    for (int32_t id = 1; id <= brokers; ++id) {
      register_broker(id);
      unfence(id);
    }
  }

  ControllerOptions options_now() {
    ControllerOptions options;
    options.cluster_id = "c";
    options.config.fixed = &fixed_;
    options.random_uuid = [this] { return id_of(++uuids_); };
    options.random = [this] { return random_(); };
    return options;
  }

  template <class Request>
  auto send(const Request& request, int16_t version = 100) {
    auto answer = controller_->handle(request, {version, now_ms, end()});
    append(answer.records);
    return answer;
  }
  void append(const MetadataRecords& records) {
    if (records.empty()) return;
    const auto published = controller_->replay(records, end(), LeaderEpoch(1), 0);
    ASSERT_TRUE(published) << published.error();
    log.insert(log.end(), records.begin(), records.end());
  }
  // A new process on the same log.
  void restart() {
    controller_.emplace(options_now(), std::make_shared<const MetadataImage>());
    controller_->set_kraft_version(1);
    const auto published = controller_->replay(log, Offset(0), LeaderEpoch(1), 0);
    ASSERT_TRUE(published) << published.error();
    append(controller_->activate(bootstrap_records()));
  }

  int64_t register_broker(int32_t id, int64_t previous_epoch = -1, std::vector<Uuid> log_dirs = {}) {
    LocalNode node;
    node.node_id = id;
    node.cluster_id = "c";
    node.incarnation_id = id_of(++uuids_);
    node.endpoints = {{"PLAINTEXT", "h", 9092, 0}};
    node.log_dirs = log_dirs.empty() ? std::vector{id_of(-id)} : std::move(log_dirs);
    const auto answer = send(broker_registration(node, previous_epoch));
    EXPECT_EQ(answer.response.error_code, 0);
    return answer.response.broker_epoch;
  }
  protocol::BrokerHeartbeatResponse heartbeat(int32_t id, bool want_fence, bool want_shut_down = false) {
    protocol::BrokerHeartbeatRequest request;
    request.broker_id = id;
    request.broker_epoch = image().find_broker(id)->epoch;
    request.current_metadata_offset = end().value() - 1;
    request.want_fence = want_fence;
    request.want_shut_down = want_shut_down;
    request.cordoned_log_dirs = std::vector<Uuid>{};
    return send(request).response;
  }
  void unfence(int32_t id) { EXPECT_FALSE(heartbeat(id, false).is_fenced); }
  // As a node does at its orderly end.
  void shut_down(int32_t id) {
    int heartbeats = 1;
    while (!heartbeat(id, false, true).should_shut_down && heartbeats < 5) ++heartbeats;
    EXPECT_LE(heartbeats, 2);
  }

  protocol::CreateTopicsResponse::CreatableTopicResult create(const std::string& name, int32_t partitions = 1,
                                                               int16_t factor = 1) {
    protocol::CreateTopicsRequest request;
    request.topics.push_back({name, partitions, factor, {}, {}, {}});
    return send(request).response.topics.at(0);
  }
  const metadata::Partition& partition(const std::string& topic, size_t index = 0) {
    return image().find_topic(topic)->partitions.at(index);
  }
  const MetadataImage& image() { return *controller_->image(); }
  Controller& controller() { return *controller_; }
  Offset end() { return Offset(static_cast<int64_t>(log.size())); }
  std::vector<std::string_view> names_from(size_t first) {
    std::vector<std::string_view> names;
    for (size_t i = first; i < log.size(); ++i) names.push_back(metadata::record_name(log[i]));
    return names;
  }

  MetadataRecords log;
  int64_t now_ms = 1000;

 private:
  std::optional<Controller> controller_;
  metadata::ConfigMap fixed_;
  int64_t uuids_ = 0;
  std::mt19937_64 random_{5};
};

inline std::vector<int32_t> ids(std::initializer_list<int32_t> list) { return list; }

}  // namespace moldau::controller::test
