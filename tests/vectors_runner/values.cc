// values/*.jsonl: hashes, checksums, ids, varints and names.
#include <fmt/format.h>
#include <zlib.h>

#include "base/crc32c.h"
#include "base/uuid.h"
#include "client/partitioner.h"
#include "groups/coordinator_placement.h"
#include "protocol/json/base64.h"
#include "protocol/reader.h"
#include "protocol/topic_name.h"
#include "protocol/writer.h"
#include "vectors_runner/json_lines.h"
#include "vectors_runner/kinds.h"

namespace moldau::vectors {

namespace json = boost::json;

namespace {

Bytes base64_of(const json::object& line, std::string_view field) {
  return protocol::from_base64(text_of(line, field)).value();
}

template <class Number>
std::string unlike(std::string_view what, Number got, Number wanted) {
  return got == wanted ? std::string() : fmt::format("{} is {}, not {}", what, got, wanted);
}

// "partition": {"50": 31, ...}: what the key's hash gives for so many partitions.
template <class PartitionOf>
std::string check_partitions(const json::object& line, PartitionOf partition_of) {
  for (const auto& [count, partition] : object_of(line, "partition")) {
    const int32_t got = partition_of(std::stoi(std::string(count)));
    if (std::string wrong = unlike<int64_t>(fmt::format("the partition of {}", std::string_view(count)), got,
                                            partition.get_int64());
        !wrong.empty())
      return wrong;
  }
  return {};
}

Uuid uuid_of(ByteView bytes) {
  protocol::Reader in(bytes);
  return in.uuid();
}

std::string check_uuid(const json::object& line) {
  if (line.contains("parse")) {
    const auto parsed = Uuid::parse(text_of(line, "parse"));
    if (parsed.has_value() != bool_of(line, "ok")) return parsed ? "is taken" : "is not taken";
    if (!parsed) return {};
    return *parsed == uuid_of(hex_of(line, "hex")) ? "" : "reads as " + parsed->to_string();
  }
  if (line.contains("ascending")) {
    std::optional<Uuid> previous;
    for (const json::value& text : line.at("ascending").as_array()) {
      const auto uuid = Uuid::parse(text.get_string()).value();
      if (previous && !(*previous < uuid)) return "out of order at " + uuid.to_string();
      previous = uuid;
    }
    return {};
  }
  const Uuid uuid = uuid_of(hex_of(line, "hex"));
  if (uuid.to_string() != text_of(line, "text")) return "is written " + uuid.to_string();
  if (uuid.is_reserved_directory() != bool_of(line, "reservedDirectory")) return "reserved or not is wrong";
  return {};
}

struct VarintKind {
  std::string_view name;
  void (*write)(protocol::Writer&, int64_t);
  int64_t (*read)(protocol::Reader&);
};

constexpr VarintKind varint_kinds[] = {
    {"varint", [](protocol::Writer& out, int64_t value) { out.varint(static_cast<int32_t>(value)); },
     [](protocol::Reader& in) -> int64_t { return in.varint(); }},
    {"varlong", [](protocol::Writer& out, int64_t value) { out.varlong(value); },
     [](protocol::Reader& in) { return in.varlong(); }},
    {"unsigned-varint",
     [](protocol::Writer& out, int64_t value) { out.unsigned_varint(static_cast<uint32_t>(value)); },
     [](protocol::Reader& in) -> int64_t { return in.unsigned_varint(); }},
    {"unsigned-varlong",
     [](protocol::Writer& out, int64_t value) { out.unsigned_varlong(static_cast<uint64_t>(value)); },
     [](protocol::Reader& in) { return static_cast<int64_t>(in.unsigned_varlong()); }},
};

const VarintKind& varint_kind(std::string_view name) {
  for (const VarintKind& kind : varint_kinds)
    if (kind.name == name) return kind;
  return varint_kinds[0];
}

std::string check_varint(const json::object& line) {
  const Bytes bytes = hex_of(line, "hex");
  if (line.contains("decode")) {
    protocol::Reader in(bytes);
    const int64_t value = varint_kind(text_of(line, "decode")).read(in);
    if (in.failed() == bool_of(line, "ok")) return in.failed() ? "is not taken" : "is taken";
    if (in.failed()) return {};
    // Java reads an unsigned varint as an int, which may be negative.
    const int64_t wanted = number_of(line, "value");
    const bool is_java_int = text_of(line, "decode") == "unsigned-varint" && wanted < 0;
    if (std::string wrong = unlike("its value", is_java_int ? static_cast<int32_t>(value) : value, wanted);
        !wrong.empty())
      return wrong;
    return unlike("its length", static_cast<int64_t>(in.position()), number_of(line, "read"));
  }
  const VarintKind& kind = varint_kind(text_of(line, "kind"));
  const int64_t value = number_of(line, "value");
  protocol::Writer out;
  kind.write(out, value);
  if (std::string wrong = difference(out.view(), bytes); !wrong.empty()) return wrong;
  protocol::Reader in(bytes);
  const int64_t read = kind.read(in);
  return unlike("its value", kind.name == "unsigned-varint" && value < 0 ? static_cast<int32_t>(read) : read,
                value);
}

std::string unified(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

std::string check_topic_name(const json::object& line) {
  if (line.contains("a")) {
    const bool collide = protocol::do_topic_names_collide(text_of(line, "a"), text_of(line, "b"));
    return collide == bool_of(line, "collide") ? "" : "colliding or not is wrong";
  }
  const std::string name = text_of(line, "name");
  const auto invalid = protocol::invalid_topic_name(name);
  if (invalid.has_value() == bool_of(line, "valid")) return invalid ? "is refused: " + *invalid : "is taken";
  if (invalid && *invalid != text_of(line, "error")) return "is refused otherwise: " + *invalid;
  if (protocol::is_internal_topic(name) != bool_of(line, "internal")) return "internal or not is wrong";
  if (protocol::has_collision_characters(name) != bool_of(line, "hasCollisionChars"))
    return "collision characters";
  if (!protocol::do_topic_names_collide(name, text_of(line, "unified"))) return "does not unify";
  return unified(name) == text_of(line, "unified") ? "" : "unifies to " + unified(name);
}

// One check for each line, named by its number.
void check_lines(const std::filesystem::path& path, std::string_view file, Report& report,
                 const std::function<std::string(const json::object&)>& check) {
  int number = 0;
  for_each_line(path, [&](const json::object& line) {
    report.add(file, fmt::format("line-{}", ++number), check(line));
  });
}

}  // namespace

void check_murmur2(const std::filesystem::path& path, std::string_view file, Report& report) {
  check_lines(path, file, report, [](const json::object& line) {
    const Bytes key = base64_of(line, "key");
    if (std::string wrong = unlike<int64_t>("the hash", client::murmur2(key), number_of(line, "murmur2"));
        !wrong.empty())
      return wrong;
    return check_partitions(line, [&](int32_t count) { return client::partition_of_key(key, count); });
  });
}

void check_coordinator_partitions(const std::filesystem::path& path, std::string_view file, Report& report) {
  check_lines(path, file, report, [](const json::object& line) {
    const std::string id = text_of(line, "id");
    return check_partitions(line, [&](int32_t count) { return groups::coordinator_partition(id, count); });
  });
}

void check_share_partitions(const std::filesystem::path& path, std::string_view file, Report& report) {
  constexpr int32_t state_topic_partitions = 50;
  check_lines(path, file, report, [](const json::object& line) {
    const std::string key =
        fmt::format("{}:{}:{}", text_of(line, "group"), text_of(line, "topicId"), number_of(line, "partition"));
    if (key != text_of(line, "key")) return "has the key " + key;
    return unlike<int64_t>("the partition of the state", groups::coordinator_partition(key, state_topic_partitions),
                           number_of(line, "statePartition"));
  });
}

void check_checksums(const std::filesystem::path& path, std::string_view file, Report& report) {
  check_lines(path, file, report, [](const json::object& line) {
    const Bytes bytes = base64_of(line, "bytes");
    if (std::string wrong = unlike<int64_t>("CRC-32C", crc32c(bytes), number_of(line, "crc32c"));
        !wrong.empty())
      return wrong;
    const uLong zlib =
        crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
    return unlike<int64_t>("CRC-32", static_cast<int64_t>(zlib), number_of(line, "crc32"));
  });
}

void check_uuids(const std::filesystem::path& path, std::string_view file, Report& report) {
  check_lines(path, file, report, check_uuid);
}

void check_varints(const std::filesystem::path& path, std::string_view file, Report& report) {
  check_lines(path, file, report, check_varint);
}

void check_topic_names(const std::filesystem::path& path, std::string_view file, Report& report) {
  check_lines(path, file, report, check_topic_name);
}

}  // namespace moldau::vectors
