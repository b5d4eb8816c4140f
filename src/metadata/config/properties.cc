#include "metadata/config/properties.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace moldau::metadata {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
bool is_line_end(char c) { return c == '\n' || c == '\r'; }

// Hands out logical lines: comments and empty ones left out, continuations joined, escapes still in them.
class LogicalLines {
 public:
  explicit LogicalLines(std::string_view bytes) : bytes_(bytes) {}

  // False at the end. `number` is that of the line where the logical line begins.
  bool next(std::string& line, int& number) {
    line.clear();
    while (true) {
      skip_blanks();
      if (at_end()) return !line.empty();
      if (line.empty()) {
        number = number_;
        if (bytes_[at_] == '#' || bytes_[at_] == '!') {
          while (!at_end() && !is_line_end(bytes_[at_])) ++at_;
          skip_line_end();
          continue;
        }
      }
      const bool continues = append_natural_line(line);
      if (continues && at_end() && !is_line_end(bytes_.back()))
        return true;  // even if nothing but "\\" was left
      if (!continues && !line.empty()) return true;
    }
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

  void skip_blanks() {
    while (!at_end() && is_blank(bytes_[at_])) ++at_;
  }

  void skip_line_end() {
    if (at_end()) return;
    const char first = bytes_[at_++];
    if (first == '\r' && !at_end() && bytes_[at_] == '\n') ++at_;
    ++number_;
  }

  // True if an odd number of backslashes ends the line: the last is dropped, and the next line belongs to it.
  bool append_natural_line(std::string& line) {
    bool escaped = false;
    for (; !at_end() && !is_line_end(bytes_[at_]); ++at_) {
      escaped = bytes_[at_] == '\\' && !escaped;
      line.push_back(bytes_[at_]);
    }
    skip_line_end();
    if (escaped) line.pop_back();
    return escaped;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  int number_ = 1;
};

std::optional<uint32_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

void append_utf8(std::string& out, uint32_t code) {
  const auto byte = [&](uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

// Collects UTF-16 units as Java has them and writes UTF-8; a surrogate without its other half becomes '?'.
class Utf16Joiner {
 public:
  void add(uint32_t unit) {
    const bool high = unit >= 0xD800 && unit < 0xDC00;
    const bool low = unit >= 0xDC00 && unit < 0xE000;
    if (low && high_) {
      append_utf8(text_, 0x10000 + ((*high_ - 0xD800) << 10) + (unit - 0xDC00));
      high_.reset();
      return;
    }
    flush();
    if (high)
      high_ = unit;
    else if (low)
      text_.push_back('?');
    else
      append_utf8(text_, unit);
  }

  std::string take() {
    flush();
    return std::move(text_);
  }

 private:
  void flush() {
    if (high_) text_.push_back('?');
    high_.reset();
  }

  std::string text_;
  std::optional<uint32_t> high_;
};

// The text of an escaped key or value; nullopt for a broken \u.
std::optional<std::string> unescaped(std::string_view raw) {
  Utf16Joiner text;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      text.add(static_cast<unsigned char>(raw[i]));
      continue;
    }
    switch (const char c = raw[++i]; c) {
      case 't':
        text.add('\t');
        break;
      case 'n':
        text.add('\n');
        break;
      case 'r':
        text.add('\r');
        break;
      case 'f':
        text.add('\f');
        break;
      case 'u': {
        if (raw.size() - i <= 4) return std::nullopt;
        uint32_t unit = 0;
        for (int digit = 0; digit < 4; ++digit) {
          const auto value = hex_digit(raw[++i]);
          if (!value) return std::nullopt;
          unit = unit << 4 | *value;
        }
        text.add(unit);
        break;
      }
      default:
        text.add(static_cast<unsigned char>(c));
    }
  }
  return text.take();
}

// Where the key ends and where the value begins.
struct Split {
  std::size_t key_end;
  std::size_t value_begin;
};

Split split(std::string_view line) {
  std::size_t key_end = 0;
  for (bool escaped = false; key_end < line.size(); ++key_end) {
    const char c = line[key_end];
    if (!escaped && (c == '=' || c == ':' || is_blank(c))) break;
    escaped = c == '\\' && !escaped;
  }
  std::size_t value = key_end;
  bool separated = false;
  for (; value < line.size(); ++value) {
    if (is_blank(line[value])) continue;
    if (separated || (line[value] != '=' && line[value] != ':')) break;
    separated = true;
  }
  return {key_end, value};
}

}  // namespace

result<std::vector<Property>, PropertiesError> parse_properties(std::string_view bytes) {
  std::vector<Property> properties;
  LogicalLines lines(bytes);
  std::string line;
  int number = 0;
  while (lines.next(line, number)) {
    const auto [key_end, value_begin] = split(line);
    auto key = unescaped(std::string_view(line).substr(0, key_end));
    auto value = unescaped(std::string_view(line).substr(value_begin));
    if (!key || !value)
      return fail(PropertiesError{number, "\\u must be followed by four hexadecimal digits"});
    properties.push_back({std::move(*key), std::move(*value), number});
  }
  return properties;
}

}  // namespace moldau::metadata
