#include "nsdisc/namespace_details.h"

#include <errno.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "base/text.h"
#include "nsdisc/snapshot_index.h"
#include "procfsroot/process_files.h"

namespace nsctl::nsdisc {
namespace {

using procfsroot::ProcessDir;

// A map has at most 340 lines (kernel/user_namespace.c) of 33 bytes.
constexpr size_t kMaxDetailFile = 64 << 10;

using Words = std::vector<absl::string_view>;

// Calls `add` with the words of each line; stops at the first line that it refuses.
template <typename Add>
absl::Status ForEachLine(absl::string_view file, absl::string_view text, const Add& add) {
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    ++number;
    const Words words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (!add(words)) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, " line ", number, ": \"",
                       base::TerminalText(base::EncodeText(line.substr(0, 120))), "\""));
    }
  }
  return absl::OkStatus();
}

// One kind of file of a process's directory, and where its content goes.
template <typename Parse>
void ReadInto(const ProcessDir& dir, const char* file, const Namespace& ns,
              absl::string_view consequence, GapList* gaps, const Parse& parse) {
  const absl::StatusOr<std::string> text = dir.Read(file, kMaxDetailFile);
  const absl::Status status = text.ok() ? parse(*text) : text.status();
  // A file that is not there belongs to a process that is gone, or to a kernel without it.
  if (status.ok() || base::IsGone(status)) return;
  const int error = base::ErrnoOf(status);
  gaps->Add({.kind = GapSubject::kNamespace, .number = ns.inode(), .type = *FromProto(ns.type())},
            absl::StrCat("read ", file), error != 0 ? error : EBADMSG, consequence);
}

void AddUserDetails(const ProcessDir& dir, Namespace* ns, GapList* gaps) {
  ReadInto(dir, "uid_map", *ns, "its uid map is unknown", gaps,
           [&](absl::string_view text) { return ParseIdMap(text, ns->mutable_uid_map()); });
  ReadInto(dir, "gid_map", *ns, "its gid map is unknown", gaps,
           [&](absl::string_view text) { return ParseIdMap(text, ns->mutable_gid_map()); });
  ReadInto(dir, "setgroups", *ns, "whether setgroups is allowed is unknown", gaps,
           [&](absl::string_view text) {
             ns->set_setgroups_allowed(absl::StartsWith(text, "allow"));
             return absl::OkStatus();
           });
}

// The process may have ended, and its number been dealt again, since it was read.
bool IsStill(const ProcessDir& dir, const Process& process) {
  std::string text;
  if (dir.TryReadRecord("stat", procfsroot::kMaxStat, &text) != 0) return false;
  const absl::StatusOr<procfsroot::StatFields> stat = procfsroot::ParseStat(text);
  return stat.ok() && stat->start_time == process.start_time();
}

}  // namespace

absl::Status ParseIdMap(absl::string_view text,
                        google::protobuf::RepeatedPtrField<IdMapping>* map) {
  return ForEachLine("id map", text, [&](const Words& words) {
    uint32_t numbers[3];
    if (words.size() != 3) return false;
    for (int i = 0; i < 3; ++i) {
      if (!absl::SimpleAtoi(words[i], &numbers[i])) return false;
    }
    IdMapping* mapping = map->Add();
    mapping->set_inside(numbers[0]);
    mapping->set_outside(numbers[1]);
    mapping->set_count(numbers[2]);
    return true;
  });
}

absl::Status ParseClockOffsets(absl::string_view text,
                               google::protobuf::RepeatedPtrField<ClockOffset>* offsets) {
  return ForEachLine("clock offsets", text, [&](const Words& words) {
    int64_t seconds = 0;
    uint32_t nanoseconds = 0;
    if (words.size() != 3 || !absl::SimpleAtoi(words[1], &seconds) ||
        !absl::SimpleAtoi(words[2], &nanoseconds)) {
      return false;
    }
    ClockOffset* offset = offsets->Add();
    offset->set_clock(base::EncodeText(words[0]));
    offset->set_seconds(seconds);
    offset->set_nanoseconds(nanoseconds);
    return true;
  });
}

void AddNamespaceDetails(const procfsroot::Procfs& procfs, const Process& process, Namespace* ns,
                         GapList* gaps) {
  const bool is_user = ns->type() == Namespace::user;
  if (!is_user && ns->type() != Namespace::time) return;
  // timens_offsets shows the namespace of the process's next children, not its own.
  if (!is_user && process.namespaces().time_for_children() != ns->inode()) return;
  const absl::StatusOr<ProcessDir> dir = procfs.OpenProcess({process.pid()});
  if (!dir.ok()) return;
  Namespace details;
  details.set_type(ns->type());
  details.set_inode(ns->inode());
  GapList own_gaps;
  if (is_user) {
    AddUserDetails(*dir, &details, &own_gaps);
  } else {
    ReadInto(*dir, "timens_offsets", details, "its clock offsets are unknown", &own_gaps,
             [&](absl::string_view text) {
               return ParseClockOffsets(text, details.mutable_clock_offsets());
             });
  }
  if (!IsStill(*dir, process)) return;
  ns->MergeFrom(details);
  gaps->Merge(std::move(own_gaps));
}

}  // namespace nsctl::nsdisc
