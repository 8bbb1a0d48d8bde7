#include "cmd/fs_list_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "cmd/fs_file.h"

namespace nsctl::cmd {
namespace {

using Files = google::protobuf::RepeatedPtrField<FsFile>;

// Half a mean year of the Gregorian calendar, as ls has it.
constexpr absl::Duration kRecent = absl::Seconds(31556952 / 2);
// Between names in a line.
constexpr size_t kGap = 2;

std::string Number(bool told, uint64_t number) { return told ? absl::StrCat(number) : "?"; }

// "1:3" as "1" and "3".
using DeviceNumber = std::pair<absl::string_view, absl::string_view>;
DeviceNumber DeviceNumberOf(const FsFile& file) {
  return absl::StrSplit(file.device_number(), absl::MaxSplits(':', 1));
}

// The width of minor numbers, so that their commas are below each other.
size_t MinorWidth(const Files& files) {
  size_t width = 0;
  for (const FsFile& file : files) width = std::max(width, DeviceNumberOf(file).second.size());
  return width;
}

std::string SizeText(const FsFile& file, const FsListStyle& style, size_t minor_width) {
  if (!file.device_number().empty()) {
    const DeviceNumber number = DeviceNumberOf(file);
    return absl::StrCat(number.first, ", ", std::string(minor_width - number.second.size(), ' '),
                        number.second);
  }
  if (!file.has_size()) return "?";
  return style.human_sizes ? HumanSize(file.size()) : absl::StrCat(file.size());
}

std::string DateText(const FsFile& file, const FsListStyle& style) {
  if (!file.has_modified()) return "?";
  const absl::Time time = TimeOf(file.modified());
  const bool recent = time <= style.now && time > style.now - kRecent;
  return absl::FormatTime(recent ? "%b %e %H:%M" : "%b %e  %Y", time, style.zone);
}

// The colours that ls has: blue, cyan, green, yellow.
Role RoleOfFile(const FsFile& file) {
  switch (file.type()) {
    case FsFile::directory:
      return Role::kMnt;
    case FsFile::symlink:
      return Role::kUts;
    case FsFile::file:
      return file.mode() & 0111 ? Role::kGood : Role::kPlain;
    case FsFile::unknown:
      return Role::kPlain;
    default:
      return Role::kLimited;
  }
}

// What stands before the name.
struct Line {
  static constexpr size_t kColumns = 7;

  std::array<std::string, kColumns> words;
};

Line MakeLine(const FsFile& file, const FsListStyle& style, size_t minor_width) {
  return {{
      style.inodes ? Number(file.has_inode(), file.inode()) : "",
      file.mode_text().empty() ? "??????????" : file.mode_text(),
      Number(file.has_links(), file.links()),
      Number(file.has_uid(), file.uid()),
      Number(file.has_gid(), file.gid()),
      SizeText(file, style, minor_width),
      DateText(file, style),
  }};
}

void PrintLong(const Files& files, const FsListStyle& style, const Presentation& presentation,
               Writer* out) {
  const size_t minor_width = MinorWidth(files);
  std::array<size_t, Line::kColumns> widths = {};
  for (const FsFile& file : files) {
    const Line line = MakeLine(file, style, minor_width);
    for (size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], line.words[i].size());
  }
  for (const FsFile& file : files) {
    std::string text;
    // Made anew: to keep the lines of a million files would take more than their names.
    const Line line = MakeLine(file, style, minor_width);
    for (size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] == 0) continue;
      text.append(widths[i] - line.words[i].size(), ' ');
      absl::StrAppend(&text, line.words[i], " ");
    }
    absl::StrAppend(&text, presentation.Paint(RoleOfFile(file), base::TerminalText(file.name())));
    if (!file.link_target().empty()) {
      absl::StrAppend(&text, " -> ", base::TerminalText(file.link_target()));
    }
    out->Append(absl::StrCat(text, "\n"));
    if (!out->ok()) return;
  }
}

struct Name {
  std::string text;
  size_t width;
  Role role;
};

std::vector<Name> MakeNames(const Files& files, const FsListStyle& style) {
  std::vector<Name> names;
  names.reserve(static_cast<size_t>(files.size()));
  size_t inode_width = 0;
  for (const FsFile& file : files) {
    inode_width = std::max(inode_width, Number(file.has_inode(), file.inode()).size());
  }
  for (const FsFile& file : files) {
    std::string text;
    if (style.inodes) {
      const std::string inode = Number(file.has_inode(), file.inode());
      text = absl::StrCat(std::string(inode_width - inode.size(), ' '), inode, " ");
    }
    absl::StrAppend(&text, base::TerminalText(file.name()));
    const size_t width = base::DisplayWidth(text);
    names.push_back({std::move(text), width, RoleOfFile(file)});
  }
  return names;
}

// The widths of columns of `rows` lines, filled downwards; empty where they do not fit.
std::vector<size_t> FitColumns(const std::vector<Name>& names, size_t rows, size_t width) {
  std::vector<size_t> columns;
  size_t total = 0;
  for (size_t first = 0; first < names.size(); first += rows) {
    size_t column = 0;
    for (size_t i = first; i < std::min(first + rows, names.size()); ++i) {
      column = std::max(column, names[i].width);
    }
    total += column + (columns.empty() ? 0 : kGap);
    if (total > width) return {};
    columns.push_back(column);
  }
  return columns;
}

void PrintColumns(const std::vector<Name>& names, const std::vector<size_t>& widths, size_t rows,
                  const Presentation& presentation, Writer* out) {
  for (size_t row = 0; row < rows; ++row) {
    std::string line;
    for (size_t column = 0; column < widths.size(); ++column) {
      const size_t i = column * rows + row;
      if (i >= names.size()) break;
      absl::StrAppend(&line, presentation.Paint(names[i].role, names[i].text));
      if (i + rows < names.size()) line.append(widths[column] - names[i].width + kGap, ' ');
    }
    out->Append(absl::StrCat(line, "\n"));
  }
}

}  // namespace

void PrintFiles(const Files& entries, const FsListStyle& style, const Presentation& presentation,
                Writer* out) {
  if (style.details) return PrintLong(entries, style, presentation, out);
  const std::vector<Name> names = MakeNames(entries, style);
  // More names than that nobody reads in columns.
  constexpr size_t kMaxInColumns = 4096;
  if (style.width > 0 && names.size() <= kMaxInColumns) {
    for (size_t rows = 1; rows < names.size(); ++rows) {
      const std::vector<size_t> widths = FitColumns(names, rows, style.width);
      if (!widths.empty()) return PrintColumns(names, widths, rows, presentation, out);
    }
  }
  for (const Name& name : names) {
    if (!out->ok()) return;
    out->Append(absl::StrCat(presentation.Paint(name.role, name.text), "\n"));
  }
}

std::string TotalLine(const FsDirectory& directory, const FsListStyle& style) {
  uint64_t blocks = 0;
  for (const FsFile& file : directory.entries()) blocks += file.blocks();
  return absl::StrCat("total ",
                      style.human_sizes ? HumanSize(blocks * 512) : absl::StrCat(blocks / 2), "\n");
}

}  // namespace nsctl::cmd
