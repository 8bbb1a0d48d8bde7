// A table of text on a terminal or in a pipe.

#ifndef NSCTL_CMD_TABLE_H_
#define NSCTL_CMD_TABLE_H_

#include <string>
#include <vector>

#include "cmd/presentation.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

enum class Alignment { kLeft, kRight };

struct TableColumn {
  std::string heading;
  Alignment alignment = Alignment::kLeft;
};

struct TableCell {
  // Stored text (base/text.h). Empty is shown as "-", so that every line has a word for every
  // column.
  std::string text;
  Role role = Role::kPlain;
};

class Table {
 public:
  explicit Table(std::vector<TableColumn> columns);

  // `row` has a cell for each column.
  void AddRow(std::vector<TableCell> row);

  // Headings, then the rows in the order they were added, columns as wide as their widest cell and
  // one blank apart. Where the presentation has a width, the last column is cut to what is left of
  // it, but never to less than its heading.
  void Print(const Presentation& presentation, Writer* out) const;

 private:
  struct Cell {
    // Safe for a terminal.
    std::string text;
    size_t width;
    Role role;
  };

  void PrintRow(const std::vector<Cell>& row, const std::vector<size_t>& widths,
                const Presentation& presentation, Writer* out) const;

  std::vector<TableColumn> columns_;
  std::vector<Cell> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TABLE_H_
