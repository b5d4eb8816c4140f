#include "raft/quorum_state.h"

#include <charconv>
#include <limits>
#include <map>
#include <variant>

#include <fmt/format.h>

namespace moldau::raft {

namespace {

// The little of JSON that this file needs: one object of numbers, strings, null, and arrays of such objects.
class JsonReader {
 public:
  struct Value;
  using Object = std::map<std::string, Value, std::less<>>;
  struct Value {
    std::variant<std::monostate, int64_t, std::string, std::vector<Object>> it;
  };

  explicit JsonReader(std::string_view text) : rest_(text) {}
  std::optional<Object> whole() {
    auto object = read_object(0);
    skip_blanks();
    return object && rest_.empty() ? std::move(object) : std::nullopt;
  }

 private:
  static constexpr int deepest = 4;

  void skip_blanks() {
    while (!rest_.empty() && std::string_view(" \t\r\n").contains(rest_.front())) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<std::string> read_string() {
    if (!take('"')) return std::nullopt;
    const size_t end = rest_.find_first_of("\"\\");  // ids and names need no escapes
    if (end == std::string_view::npos || rest_[end] != '"') return std::nullopt;
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::optional<Value> read_value(int depth) {
    skip_blanks();
    if (rest_.empty()) return std::nullopt;
    if (rest_.front() == '"') {
      auto text = read_string();
      if (!text) return std::nullopt;
      return Value{std::move(*text)};
    }
    if (rest_.starts_with("null")) {
      rest_.remove_prefix(4);
      return Value{};
    }
    if (take('[')) {
      std::vector<Object> objects;
      if (take(']')) return Value{std::move(objects)};
      do {
        auto object = read_object(depth + 1);
        if (!object) return std::nullopt;
        objects.push_back(std::move(*object));
      } while (take(','));
      if (!take(']')) return std::nullopt;
      return Value{std::move(objects)};
    }
    int64_t number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return Value{number};
  }
  std::optional<Object> read_object(int depth) {
    if (depth > deepest || !take('{')) return std::nullopt;
    Object object;
    if (take('}')) return object;
    do {
      skip_blanks();
      auto name = read_string();
      if (!name || !take(':')) return std::nullopt;
      auto value = read_value(depth);
      if (!value) return std::nullopt;
      object.insert_or_assign(std::move(*name), std::move(*value));
    } while (take(','));
    if (!take('}')) return std::nullopt;
    return object;
  }

  std::string_view rest_;
};

std::optional<int32_t> number_of(const JsonReader::Object& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  const auto* number = std::get_if<int64_t>(&found->second.it);
  if (number == nullptr || *number < -1 || *number > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<int32_t>(*number);
}

}  // namespace

std::string write_quorum_state(const QuorumState& state) {
  if (state.data_version >= 1)
    return fmt::format(R"({{"leaderId":{},"leaderEpoch":{},"votedId":{},"votedDirectoryId":"{}","data_version":1}})",
                       state.leader_id, state.leader_epoch, state.voted_id, state.voted_directory_id.to_string());
  std::string voters;
  for (const int32_t voter : state.current_voters)
    voters += fmt::format(R"({}{{"voterId":{}}})", voters.empty() ? "" : ",", voter);
  return fmt::format(
      R"({{"clusterId":"{}","leaderId":{},"leaderEpoch":{},"votedId":{},"appliedOffset":{},"currentVoters":[{}],"data_version":0}})",
      state.cluster_id, state.leader_id, state.leader_epoch, state.voted_id, state.applied_offset, voters);
}

result<QuorumState, std::string> read_quorum_state(std::string_view text) {
  const auto object = JsonReader(text).whole();
  if (!object) return fail(std::string("quorum-state is not the JSON object that it should be"));
  const auto version = number_of(*object, "data_version");
  if (!version) return fail(std::string("quorum-state has no data_version"));
  if (*version < 0 || *version > 1)
    return fail(fmt::format("quorum-state has data_version {}, but this release reads 0 and 1", *version));
  const auto leader = number_of(*object, "leaderId");
  const auto epoch = number_of(*object, "leaderEpoch");
  const auto voted = number_of(*object, "votedId");
  if (!leader || !epoch || !voted || *epoch < 0)
    return fail(std::string("quorum-state lacks leaderId, leaderEpoch or votedId"));
  QuorumState state;
  state.data_version = static_cast<int16_t>(*version);
  state.leader_id = *leader;
  state.leader_epoch = *epoch;
  state.voted_id = *voted;
  if (const auto found = object->find("votedDirectoryId"); found != object->end()) {
    const auto* id = std::get_if<std::string>(&found->second.it);
    const auto parsed = id == nullptr ? std::nullopt : Uuid::parse(*id);
    if (!parsed) return fail(std::string("quorum-state has a votedDirectoryId that is no id"));
    state.voted_directory_id = *parsed;
  }
  if (const auto found = object->find("clusterId"); found != object->end())
    if (const auto* id = std::get_if<std::string>(&found->second.it)) state.cluster_id = *id;
  if (const auto found = object->find("appliedOffset"); found != object->end())
    if (const auto* offset = std::get_if<int64_t>(&found->second.it)) state.applied_offset = *offset;
  if (const auto found = object->find("currentVoters"); found != object->end()) {
    if (const auto* voters = std::get_if<std::vector<JsonReader::Object>>(&found->second.it)) {
      for (const auto& voter : *voters) {
        const auto id = number_of(voter, "voterId");
        if (!id) return fail(std::string("quorum-state has a voter without an id"));
        state.current_voters.push_back(*id);
      }
    }
  }
  return state;
}

}  // namespace moldau::raft
