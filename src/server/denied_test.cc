// A caller who may do nothing gets, from every API that is served, the answer that Apache Kafka 4.3.1 gave to the same
// bytes when its StandardAuthorizer had no ACLs: testdata/denied.txt, one line a request with API, version, case, request
// and answer.
#include <fstream>
#include <set>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "protocol/json/message_types.h"
#include "security/rule_authorizer.h"
#include "server/test_broker.h"

namespace moldau::server {
namespace {

using protocol::ApiKey;
using runtime::task;

struct Case {
  std::string api;
  int16_t version = 0;
  std::string name;
  Bytes request;
  Bytes answer;
};

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::vector<Case> cases() {
  std::ifstream file(std::string(MOLDAU_SOURCE_DIR) + "/src/server/testdata/denied.txt");
  std::vector<Case> all;
  Case one;
  std::string request;
  std::string answer;
  while (file >> one.api >> one.version >> one.name >> request >> answer) {
    one.request = from_hex(request);
    one.answer = from_hex(answer);
    all.push_back(one);
  }
  return all;
}

// A reason counts where it is one for a denial, and only if it is meant for people: Kafka prints its own objects too.
bool counts(const boost::json::object& answer) {
  const auto code = static_cast<protocol::ErrorCode>(answer.at("errorCode").to_number<int16_t>());
  const auto* text = answer.at("errorMessage").if_string();
  using enum protocol::ErrorCode;
  return code == none || ((code == topic_authorization_failed || code == group_authorization_failed || code == cluster_authorization_failed) &&
                          (text == nullptr || !std::string_view(*text).starts_with("Request Request(")));
}

// The order in which Kafka's hash maps give things out is no part of an answer.
boost::json::value sorted(const boost::json::value& value) {
  if (const auto* object = value.if_object()) {
    boost::json::object out;
    for (const auto& [key, member] : *object)
      if (key != "errorMessage" || counts(*object)) out[key] = sorted(member);
    return out;
  }
  const auto* array = value.if_array();
  if (array == nullptr) return value;
  std::multiset<std::string> texts;
  for (const auto& member : *array) texts.insert(boost::json::serialize(sorted(member)));
  boost::json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

// What the controller says of a denial names Kafka's request object.
bool names_kafkas_objects(std::string_view api) {
  return api == "UpdateFeatures" || api == "AlterPartitionReassignments" || api == "ListPartitionReassignments";
}

void drop_messages(boost::json::value& value) {
  if (auto* object = value.if_object()) {
    object->erase("errorMessage");
    for (auto& [key, member] : *object) drop_messages(member);
  } else if (auto* array = value.if_array()) {
    for (auto& member : *array) drop_messages(member);
  }
}

std::string described(const Case& one, const Bytes& answer) {
  const auto* type = protocol::find_message_type(one.api + "Response");
  protocol::Reader reader(answer);
  reader.int32();
  const auto key = load_be<int16_t>(one.request.data());
  if (protocol::find_api(key)->response_header_version(one.version) >= 1) reader.unsigned_varint();
  auto json = type->decode_to_json(reader, one.version);
  if (names_kafkas_objects(one.api) && json) drop_messages(*json);
  return json ? boost::json::serialize(sorted(*json)) : "not decodable";
}

void deny_everything(broker::Broker& broker) {
  for (auto& shard : broker.shards) shard->authorizer = std::make_unique<security::RuleAuthorizer>();
}

task<void> ask_all(TestBroker& broker) {
  broker.broker().cluster_id = "TW9sZGF1TW9sZGF1TW9sZA";  // that of the Kafka that was asked
  deny_everything(broker.broker());
  for (const Case& one : cases()) {
    const Bytes answer = co_await broker.ask_frame(one.request);
    EXPECT_EQ(described(one, answer), described(one, one.answer)) << one.api << " version " << one.version << ", " << one.name;
  }
}

TEST(DeniedCaller, GetsWhatKafkaAnswers) { with_broker(ask_all); }

TEST(DeniedCaller, IsShownForEveryApiThatIsServed) {
  std::set<std::string> shown;
  for (const Case& one : cases()) shown.insert(one.api);
  for (const security::AccessLine& line : security::access_table) {
    const auto& handler = broker::find_handler(static_cast<int16_t>(line.api), broker::ListenerRole::broker);
    if (handler.handle != nullptr && !line.checks.empty()) EXPECT_TRUE(shown.contains(handler.name)) << handler.name << " is served and not shown";
  }
}

// A handler without a line does not compile; this is for the keys.
TEST(AccessTable, HasALineForEveryApi) {
  for (const protocol::ApiInfo& api : protocol::api_table())
    EXPECT_EQ(std::ranges::count(security::access_table, api.key, &security::AccessLine::api), 1) << api.name;
}

}  // namespace
}  // namespace moldau::server
