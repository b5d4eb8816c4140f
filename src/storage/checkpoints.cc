#include "storage/checkpoints.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace moldau::storage {
namespace {

template <class Integer>
std::optional<Integer> parse_number(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Takes one line off `rest`; null at the end.
std::optional<std::string_view> next_line(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  while (true) {
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return found;
    line.remove_prefix(begin);
    const size_t end = line.find_first_of(" \t");
    found.push_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end);
  }
}

// Reads the two lines before the entries, then gives each entry's words to `take`, which says whether they are right.
template <class Take>
result<void, Malformed> decode_entries(ByteView text, Take take) {
  std::string_view rest = as_text(text);
  const auto version = next_line(rest);
  if (!version) return fail(Malformed("the file is empty"));
  if (parse_number<int32_t>(*version) != 0) return fail(fmt::format("unknown version '{}'", *version));
  const auto count_line = next_line(rest);
  const auto count = count_line ? parse_number<int32_t>(*count_line) : std::nullopt;
  if (!count || *count < 0) return fail(Malformed("the second line is no number of entries"));
  int32_t found = 0;
  while (const auto line = next_line(rest)) {
    if (line->empty() && rest.empty()) break;
    if (!take(words(*line))) return fail(fmt::format("line {} is no entry: '{}'", found + 3, *line));
    ++found;
  }
  if (found != *count) return fail(fmt::format("{} entries were expected, {} are there", *count, found));
  return {};
}

}  // namespace

Bytes encode_partition_offsets(const std::vector<PartitionOffset>& entries) {
  std::string text = fmt::format("0\n{}\n", entries.size());
  for (const PartitionOffset& entry : entries)
    text += fmt::format("{} {} {}\n", entry.topic, entry.partition, entry.offset.value());
  return to_bytes(text);
}

result<std::vector<PartitionOffset>, Malformed> decode_partition_offsets(ByteView text) {
  std::vector<PartitionOffset> entries;
  MOLDAU_CHECK(decode_entries(text, [&entries](const std::vector<std::string_view>& parts) {
    if (parts.size() != 3) return false;
    const auto partition = parse_number<int32_t>(parts[1]);
    const auto offset = parse_number<int64_t>(parts[2]);
    if (!partition || !offset) return false;
    entries.push_back({std::string(parts[0]), *partition, Offset(*offset)});
    return true;
  }));
  return entries;
}

Bytes encode_leader_epochs(const LeaderEpochs& epochs) {
  std::string text = fmt::format("0\n{}\n", epochs.entries().size());
  for (const EpochEntry& entry : epochs.entries())
    text += fmt::format("{} {}\n", entry.epoch.value(), entry.start_offset.value());
  return to_bytes(text);
}

result<LeaderEpochs, Malformed> decode_leader_epochs(ByteView text) {
  LeaderEpochs epochs;
  if (text.empty()) return epochs;
  MOLDAU_CHECK(decode_entries(text, [&epochs](const std::vector<std::string_view>& parts) {
    if (parts.size() != 2) return false;
    const auto epoch = parse_number<int32_t>(parts[0]);
    const auto start = parse_number<int64_t>(parts[1]);
    if (!epoch || !start || *epoch < 0 || *start < 0) return false;
    epochs.assign(LeaderEpoch(*epoch), Offset(*start));
    return true;
  }));
  return epochs;
}

Bytes encode_partition_metadata(Uuid topic_id) {
  return to_bytes(fmt::format("version: 0\ntopic_id: {}", topic_id));
}

result<Uuid, Malformed> decode_partition_metadata(ByteView text) {
  std::string_view rest = as_text(text);
  const auto field = [](std::optional<std::string_view> line, std::string_view name) -> std::optional<std::string_view> {
    if (!line || !line->starts_with(name)) return std::nullopt;
    const auto parts = words(line->substr(name.size()));
    return parts.size() == 1 ? std::optional(parts[0]) : std::nullopt;
  };
  const auto version = field(next_line(rest), "version:");
  if (!version || parse_number<int32_t>(*version) != 0) return fail(Malformed("the first line is not 'version: 0'"));
  const auto id_text = field(next_line(rest), "topic_id:");
  const auto id = id_text ? Uuid::parse(*id_text) : std::nullopt;
  if (!id) return fail(Malformed("the second line is not 'topic_id:' and an id"));
  if (id->is_zero()) return fail(Malformed("the topic id is zero"));
  return *id;
}

}  // namespace moldau::storage
