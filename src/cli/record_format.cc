#include "cli/record_format.h"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cli/units.h"
#include "protocol/json/base64.h"

namespace moldau::cli {

namespace {

constexpr std::string_view field_letters = "tpoTIkvhKV";

std::string_view text_of(const std::optional<Bytes>& bytes) {
  return bytes ? as_text(*bytes) : std::string_view{};
}

std::string headers_text(const client::FetchedRecord& record) {
  std::string text;
  for (const auto& [name, value] : record.headers)
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, value ? as_text(*value) : "null");
  return text;
}

std::string json_text(const client::TopicPartition& partition, const client::FetchedRecord& record) {
  boost::json::object json{{"topic", partition.topic},
                           {"partition", partition.partition},
                           {"offset", record.offset},
                           {"timestamp", record.timestamp_ms}};
  if (record.timestamp_type == protocol::TimestampType::log_append_time)
    json["timestamp_type"] = "log_append_time";
  put_bytes(json, "key", record.key);
  put_bytes(json, "value", record.value);
  if (!record.headers.empty()) {
    boost::json::array headers;
    for (const auto& [name, value] : record.headers) {
      boost::json::object header{{"name", name}};
      put_bytes(header, "value", value);
      headers.push_back(std::move(header));
    }
    json["headers"] = std::move(headers);
  }
  return boost::json::serialize(json) + "\n";
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xC2 && lead < 0xE0 ? 2
                          : lead >= 0xE0 && lead < 0xF0 ? 3
                          : lead >= 0xF0 && lead < 0xF5 ? 4
                                                        : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t point = length == 1 ? lead : lead & (0x7FU >> length);
    for (size_t j = 1; j < length; ++j) {
      const auto next = static_cast<unsigned char>(text[i + j]);
      if ((next & 0xC0) != 0x80) return false;
      point = point << 6 | (next & 0x3F);
    }
    const bool is_overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (is_overlong || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return false;
    i += length;
  }
  return true;
}

void put_bytes(boost::json::object& json, std::string_view name, const std::optional<Bytes>& bytes) {
  if (!bytes)
    json[name] = nullptr;
  else if (is_utf8(as_text(*bytes)))
    json[name] = as_text(*bytes);
  else
    json[std::string(name) + "_base64"] = protocol::to_base64(*bytes);
}

std::optional<RecordFormat> RecordFormat::parse(std::string_view text) {
  RecordFormat format;
  if (text == "json") {
    format.is_json_ = true;
    return format;
  }
  if (text == "value") text = "%v\\n";
  if (text == "key-value") text = "%k\\t%v\\n";
  if (text == "full") text = "%I  %t-%p@%o  %k  %v  %h\\n";
  if (text.find('%') == std::string_view::npos) return std::nullopt;
  std::string literal;
  bool has_line_end = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\' && next != '\0') {
      ++i;
      switch (next) {
        case 'n':
          literal += '\n';
          has_line_end = true;
          break;
        case 't':
          literal += '\t';
          break;
        case '0':
          literal += '\0';
          has_line_end = true;
          break;
        case '\\':
          literal += '\\';
          break;
        default:
          return std::nullopt;
      }
    } else if (text[i] == '%') {
      ++i;
      if (next == '%') {
        literal += '%';
      } else if (next != '\0' && field_letters.find(next) != std::string_view::npos) {
        format.parts_.emplace_back(std::exchange(literal, {}), next);
      } else {
        return std::nullopt;
      }
    } else {
      if (text[i] == '\n') has_line_end = true;
      literal += text[i];
    }
  }
  if (!has_line_end) literal += '\n';
  format.parts_.emplace_back(std::move(literal), '\0');
  return format;
}

std::string RecordFormat::operator()(const client::TopicPartition& partition,
                                     const client::FetchedRecord& record) const {
  if (is_json_) return json_text(partition, record);
  std::string text;
  const auto size_of = [](const std::optional<Bytes>& bytes) {
    return bytes ? static_cast<int64_t>(bytes->size()) : -1;
  };
  for (const auto& [literal, field] : parts_) {
    text += literal;
    switch (field) {
      case 't':
        text += partition.topic;
        break;
      case 'p':
        text += std::to_string(partition.partition);
        break;
      case 'o':
        text += std::to_string(record.offset);
        break;
      case 'T':
        text += std::to_string(record.timestamp_ms);
        break;
      case 'I':
        text += instant_text(record.timestamp_ms);
        break;
      case 'k':
        text += text_of(record.key);
        break;
      case 'v':
        text += text_of(record.value);
        break;
      case 'h':
        text += headers_text(record);
        break;
      case 'K':
        text += std::to_string(size_of(record.key));
        break;
      case 'V':
        text += std::to_string(size_of(record.value));
        break;
      default:
        break;
    }
  }
  return text;
}

}  // namespace moldau::cli
