#include "metadata/config/properties.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/bytes.h"

namespace moldau::metadata {
namespace {

std::string of_hex(std::string_view hex) { return std::string(as_text(from_hex(hex))); }

TEST(Properties, are_read_as_java_reads_them) {
  std::ifstream file(MOLDAU_SOURCE_DIR "/src/metadata/config/testdata/properties.txt");
  ASSERT_TRUE(file);
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string hex;
    if (line.starts_with(' '))
      hex.clear();
    else
      words >> hex;
    bool refused = false;
    std::map<std::string, std::string> expected;
    for (std::string word; words >> word;) {
      if (word == "ERR") {
        refused = true;
        continue;
      }
      const auto equals = word.find('=');
      expected[of_hex(word.substr(0, equals))] = of_hex(word.substr(equals + 1));
    }
    const auto read = parse_properties(of_hex(hex));
    ASSERT_EQ(read.has_value(), !refused) << hex;
    ++cases;
    if (refused) continue;
    std::map<std::string, std::string> got;
    for (const auto& property : *read) got[property.key] = property.value;
    EXPECT_EQ(got, expected) << hex;
  }
  EXPECT_GT(cases, 400);
}

TEST(Properties, know_the_line_where_they_begin) {
  const auto read = parse_properties("# comment\r\n\r\na=1\\\n  2\nb=3\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (std::vector<Property>{{"a", "12", 3}, {"b", "3", 5}}));
  EXPECT_EQ(parse_properties("a=1\nb=\\u12").error().line, 2);
}

}  // namespace
}  // namespace moldau::metadata
