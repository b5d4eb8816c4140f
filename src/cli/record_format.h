// How `consume` shows a record: one of the named formats, or a template of the user's.
//
// value: the value; key-value: key, tab, value; full: timestamp, topic-partition@offset, key, value, headers;
// json: an object (also chosen by --json). A template holds %t topic, %p partition, %o offset, %T timestamp
// (ms), %I timestamp (text), %k key, %v value, %h headers, %K and %V their sizes, %% a percent sign, and \n
// \t \0 \\. A null key or value is empty text, and -1 as a size.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/fetcher.h"

namespace moldau::cli {

class RecordFormat {
 public:
  // A name or a template (which holds a '%'); null if it is neither, or holds an unknown letter.
  [[nodiscard]] static std::optional<RecordFormat> parse(std::string_view text);

  // With the end of the line that named formats have; a template has those that it names, or one if it names
  // none.
  [[nodiscard]] std::string operator()(const client::TopicPartition& partition,
                                       const client::FetchedRecord& record) const;

 private:
  bool is_json_ = false;
  std::vector<std::pair<std::string, char>> parts_;  // text, then the field behind it (0: none)
};

// "value" or "value_base64" where bytes are no UTF-8; null stays null.
void put_bytes(boost::json::object& json, std::string_view name, const std::optional<Bytes>& bytes);
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace moldau::cli
