#include "cmd/table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/text.h"

namespace nsctl::cmd {

Table::Table(std::vector<TableColumn> columns) : columns_(std::move(columns)) {
  for (const TableColumn& column : columns_) {
    headings_.push_back({column.heading, base::DisplayWidth(column.heading), Role::kHeading});
  }
}

void Table::AddRow(std::vector<TableCell> row) {
  std::vector<Cell> cells;
  cells.reserve(row.size());
  for (const TableCell& cell : row) {
    std::string text = cell.text.empty() ? "-" : base::TerminalText(cell.text);
    const size_t width = base::DisplayWidth(text);
    cells.push_back({std::move(text), width, cell.role});
  }
  rows_.push_back(std::move(cells));
}

void Table::Print(const Presentation& presentation, Writer* out) const {
  std::vector<size_t> widths(columns_.size(), 0);
  const auto widen = [&](const std::vector<Cell>& row) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].width);
  };
  if (presentation.headings) widen(headings_);
  for (const std::vector<Cell>& row : rows_) widen(row);

  if (presentation.width > 0 && !widths.empty()) {
    size_t used = 0;
    for (size_t i = 0; i + 1 < widths.size(); ++i) used += widths[i] + 1;
    const size_t left = presentation.width > used ? presentation.width - used : 0;
    widths.back() = std::min(widths.back(), std::max(left, headings_.back().width));
  }

  if (presentation.headings) PrintRow(headings_, widths, presentation, out);
  for (const std::vector<Cell>& row : rows_) PrintRow(row, widths, presentation, out);
}

void Table::PrintRow(const std::vector<Cell>& row, const std::vector<size_t>& widths,
                     const Presentation& presentation, Writer* out) const {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    const Cell& cell = row[i];
    const bool last = i + 1 == row.size();
    const bool cut = cell.width > widths[i];
    const std::string text =
        cut ? base::TruncateToWidth(cell.text, widths[i], presentation.glyphs->ellipsis)
            : cell.text;
    const size_t padding = cut ? 0 : widths[i] - cell.width;
    if (columns_[i].alignment == Alignment::kRight) line.append(padding, ' ');
    line += presentation.Paint(cell.role, text);
    if (last) break;
    if (columns_[i].alignment == Alignment::kLeft) line.append(padding, ' ');
    line.push_back(' ');
  }
  line.push_back('\n');
  out->Append(line);
}

}  // namespace nsctl::cmd
