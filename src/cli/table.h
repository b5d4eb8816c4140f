// A table for people: columns as wide as their widest cell, numbers to the right, two spaces between.
#pragma once

#include <string>
#include <vector>

namespace moldau::cli {

class Table {
 public:
  enum class Align : uint8_t { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }
  // The titles and the rows, a line each, without blanks at the ends of lines. Control characters in cells
  // are shown as
  // \xNN, so that a name cannot steer the terminal.
  [[nodiscard]] std::string to_string() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// The text with control characters as \n, \t or \xNN.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace moldau::cli
