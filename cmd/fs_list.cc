#include "cmd/fs_list.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/fs_file.h"
#include "procfsroot/root.h"
#include "procfsroot/tree_directory.h"

namespace nsctl::cmd {
namespace {

using procfsroot::PathRules;
using procfsroot::Root;
using procfsroot::TreeDirectory;
using procfsroot::TreeEntry;
using Gaps = google::protobuf::RepeatedPtrField<nsdisc::Gap>;
using Order = FsListOptions::Order;

std::string Join(absl::string_view directory, absl::string_view name) {
  return absl::StrCat(directory, absl::EndsWith(directory, "/") ? "" : "/", name);
}

void AddGap(const std::string& name, const char* operation, const absl::Status& failure,
            const char* consequence, Gaps* gaps) {
  nsdisc::Gap* gap = gaps->Add();
  gap->set_subject(absl::StrCat("file:", name));
  gap->set_operation(operation);
  // A file system that does not answer, or did not before.
  const bool is_late = absl::IsDeadlineExceeded(failure) || absl::IsUnavailable(failure);
  const int error = base::ErrnoOf(failure) == 0 && is_late ? ETIMEDOUT : base::ErrnoOf(failure);
  gap->set_error(error != 0 ? base::ErrnoName(error) : absl::StatusCodeToString(failure.code()));
  gap->set_consequence(consequence);
  gap->set_count(1);
}

class Lister {
 public:
  Lister(const FsOperand& operand, const FsListOptions& options, Gaps* gaps,
         absl::FunctionRef<void(const FsDirectory&)> take)
      : operand_(operand), options_(options), gaps_(gaps), take_(take) {}

  absl::Status Run() {
    // Directories that are still to be listed, the next one last.
    std::vector<std::string> pending;
    NSCTL_RETURN_IF_ERROR(List(operand_.path, {}, &pending));
    while (!pending.empty()) {
      const std::string path = std::move(pending.back());
      pending.pop_back();
      const absl::Status listed = List(path, {.follow_last = false}, &pending);
      if (!listed.ok() && !base::IsGone(listed)) {
        AddGap(operand_.NameOf(path), "list", listed, "what it holds is unknown", gaps_);
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status List(const std::string& path, PathRules rules, std::vector<std::string>* pending) {
    NSCTL_ASSIGN_OR_RETURN(base::OwnedFd handle, operand_.root->Resolve(path, rules));
    NSCTL_ASSIGN_OR_RETURN(
        TreeDirectory directory,
        TreeDirectory::Open(std::move(handle), {options_.caller, options_.timeout}));
    NSCTL_ASSIGN_OR_RETURN(const std::vector<std::string> names, ReadNames(&directory));
    FsDirectory result;
    result.set_path(operand_.NameOf(path));
    AddDots(path, rules, &result);
    AddEntries(path, directory, names, &result);
    Sort(&result);
    if (options_.recursive) AddChildren(path, result, pending);
    take_(result);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> ReadNames(TreeDirectory* directory) const {
    std::vector<std::string> names;
    while (true) {
      NSCTL_ASSIGN_OR_RETURN(std::vector<std::string> some, directory->ReadNames());
      if (some.empty()) break;
      for (std::string& name : some) {
        if (options_.hidden || name[0] != '.') names.push_back(std::move(name));
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // "." and "..", whose ".." ends at the root.
  void AddDots(const std::string& path, PathRules rules, FsDirectory* result) {
    if (!options_.dots) return;
    for (const char* name : {".", ".."}) {
      FsFile* file = result->add_entries();
      file->set_name(name);
      file->set_path(operand_.NameOf(Join(path, name)));
      if (!options_.details) continue;
      const absl::StatusOr<struct statx> status = operand_.root->Stat(Join(path, name), rules);
      if (status.ok()) FillFsFile(*status, file);
    }
  }

  void AddEntries(const std::string& path, const TreeDirectory& directory,
                  const std::vector<std::string>& names, FsDirectory* result) {
    std::vector<absl::StatusOr<TreeEntry>> looked_at;
    if (options_.details) looked_at = directory.Look(names);
    for (size_t i = 0; i < names.size(); ++i) {
      // Gone between the list and the look.
      if (options_.details && base::IsGone(looked_at[i].status())) continue;
      FsFile* file = result->add_entries();
      file->set_name(base::EncodeText(names[i]));
      file->set_path(operand_.NameOf(Join(path, names[i])));
      if (!options_.details) continue;
      if (!looked_at[i].ok()) {
        AddGap(file->path(), "stat", looked_at[i].status(), "what it is is unknown", gaps_);
        continue;
      }
      FillFsFile(looked_at[i]->status, file);
      file->set_link_target(base::EncodeText(looked_at[i]->link));
    }
  }

  void Sort(FsDirectory* directory) const {
    auto* entries = directory->mutable_entries();
    // Names are in order already.
    if (options_.order == Order::kTime) {
      std::stable_sort(entries->pointer_begin(), entries->pointer_end(),
                       [](const FsFile* a, const FsFile* b) {
                         return TimeOf(a->modified()) > TimeOf(b->modified());
                       });
    } else if (options_.order == Order::kSize) {
      std::stable_sort(entries->pointer_begin(), entries->pointer_end(),
                       [](const FsFile* a, const FsFile* b) { return a->size() > b->size(); });
    }
    if (options_.reverse) std::reverse(entries->pointer_begin(), entries->pointer_end());
  }

  void AddChildren(const std::string& path, const FsDirectory& directory,
                   std::vector<std::string>* pending) const {
    std::vector<std::string> children;
    for (const FsFile& file : directory.entries()) {
      if (file.type() != FsFile::directory || file.name() == "." || file.name() == "..") continue;
      if (options_.same_mount && file.mount_root()) continue;
      children.push_back(Join(path, *base::DecodeText(file.name())));
    }
    pending->insert(pending->end(), children.rbegin(), children.rend());
  }

  const FsOperand& operand_;
  const FsListOptions& options_;
  Gaps* gaps_;
  absl::FunctionRef<void(const FsDirectory&)> take_;
};

}  // namespace

absl::StatusOr<FsFile> LookAtFile(const FsOperand& operand, bool follow) {
  NSCTL_ASSIGN_OR_RETURN(const struct statx status,
                         operand.root->Stat(operand.path, {.follow_last = follow}));
  FsFile file;
  file.set_path(operand.Name());
  file.set_name(base::EncodeText(LastComponent(operand.path)));
  FillFsFile(status, &file);
  if (S_ISLNK(status.stx_mode)) {
    NSCTL_ASSIGN_OR_RETURN(const std::string text, operand.root->ReadLink(operand.path));
    file.set_link_target(base::EncodeText(text));
  }
  return file;
}

absl::Status ListFiles(const FsOperand& operand, const FsListOptions& options, Gaps* gaps,
                       absl::FunctionRef<void(const FsDirectory&)> take) {
  return Lister(operand, options, gaps, take).Run();
}

}  // namespace nsctl::cmd
