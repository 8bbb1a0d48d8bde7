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
#include "absl/time/clock.h"
#include "absl/types/span.h"
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
using procfsroot::TreeDirectory;
using procfsroot::TreeEntry;
using Gaps = google::protobuf::RepeatedPtrField<nsdisc::Gap>;
using Order = FsListOptions::Order;

constexpr char kNoLink[] = "where it leads to is unknown";

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
  gap->set_consequence(error == EREMOTE ? "not mounted: autofs is not triggered" : consequence);
  gap->set_count(1);
}

void AddLimitGap(const std::string& name, const char* what, size_t count, Gaps* gaps) {
  nsdisc::Gap* gap = gaps->Add();
  gap->set_subject(absl::StrCat("file:", name));
  gap->set_operation("list");
  gap->set_error(what);
  gap->set_consequence("what is past that is left out");
  gap->set_count(count);
}

size_t BytesOf(const FsFile& file) {
  return file.path().size() + file.name().size() + file.link_target().size();
}

class Lister {
 public:
  Lister(const FsOperand& operand, const FsListOptions& options, size_t* entries, Gaps* gaps,
         absl::FunctionRef<void(const FsDirectory&)> take)
      : operand_(operand), options_(options), entries_(entries), gaps_(gaps), take_(take) {}

  absl::Status Run() {
    // Directories that are still to be listed, the next one last.
    std::vector<std::string> pending;
    NSCTL_RETURN_IF_ERROR(List(operand_.path, {}, &pending));
    while (!pending.empty()) {
      if (IsFull()) {
        AddLimitGap(operand_.NameOf(pending.back()), "limit of entries", pending.size(), gaps_);
        break;
      }
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
  bool IsFull() const {
    return *entries_ >= options_.max_entries || bytes_ / kMaxBytesPerEntry >= options_.max_entries;
  }

  absl::Status List(const std::string& path, PathRules rules, std::vector<std::string>* pending) {
    NSCTL_ASSIGN_OR_RETURN(base::OwnedFd handle, operand_.root->Resolve(path, rules));
    FsDirectory result;
    result.set_path(operand_.NameOf(path));
    absl::StatusOr<TreeDirectory> directory =
        TreeDirectory::Open(std::move(handle), {options_.caller, options_.timeout});
    std::vector<std::string> names;
    absl::Status opened = directory.status();
    if (opened.ok()) opened = ReadNames(&*directory, result.path(), &names);
    if (base::ErrnoOf(opened) == EREMOTE) {
      AddGap(result.path(), "list", opened, "", gaps_);
    } else {
      NSCTL_RETURN_IF_ERROR(opened);
    }
    AddDots(path, rules, &result);
    if (directory.ok()) AddEntries(path, *directory, names, &result);
    Sort(&result);
    if (options_.recursive) AddChildren(path, result, pending);
    take_(result);
    return absl::OkStatus();
  }

  // Within the limits, of which `name` gets a gap. Errors: of its beginning.
  absl::Status ReadNames(TreeDirectory* directory, const std::string& name,
                         std::vector<std::string>* names) {
    const absl::Time deadline = absl::Now() + options_.timeout;
    size_t seen = 0, bytes = 0;
    while (true) {
      const absl::Duration left = deadline - absl::Now();
      const bool is_late = left <= absl::ZeroDuration();
      if (is_late && seen > 0) {
        AddGap(name, "list", absl::DeadlineExceededError(""), "what else it holds is unknown",
               gaps_);
        break;
      }
      absl::StatusOr<std::vector<std::string>> some = directory->ReadNames(left);
      if (!some.ok() && seen == 0) return some.status();
      if (!some.ok()) AddGap(name, "list", some.status(), "what else it holds is unknown", gaps_);
      if (!some.ok() || some->empty()) break;
      seen += some->size();
      for (std::string& entry : *some) {
        if (!options_.hidden && entry[0] == '.') continue;
        bytes += entry.size();
        names->push_back(std::move(entry));
      }
      const bool is_full = *entries_ + names->size() > options_.max_entries ||
                           bytes / kMaxBytesPerEntry >= options_.max_entries;
      // Of hidden names there may be no end as well.
      if (is_full || seen / 16 > options_.max_entries) {
        AddLimitGap(name, "limit of entries", 1, gaps_);
        break;
      }
    }
    const size_t room = options_.max_entries - std::min(*entries_, options_.max_entries);
    std::sort(names->begin(), names->end());
    if (names->size() > room) names->resize(room);
    return absl::OkStatus();
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
    // Many links at once may be long.
    constexpr size_t kBatch = 1024;
    const absl::Time deadline = absl::Now() + options_.timeout * kLookTimeouts;
    size_t late = 0;
    for (size_t i = 0; i < names.size(); i += kBatch) {
      const auto batch = absl::MakeConstSpan(names).subspan(i, kBatch);
      if (IsFull()) {
        return AddLimitGap(result->path(), "limit of bytes", names.size() - i, gaps_);
      }
      std::vector<absl::StatusOr<TreeEntry>> looked_at;
      if (options_.details && absl::Now() < deadline) looked_at = directory.Look(batch, deadline);
      if (options_.details && looked_at.empty()) late += batch.size();
      for (size_t k = 0; k < batch.size(); ++k) {
        AddEntry(path, batch[k], looked_at.empty() ? nullptr : &looked_at[k], result);
      }
    }
    if (late == 0) return;
    AddGap(result->path(), "stat", absl::DeadlineExceededError(""),
           "what its last entries are is unknown", gaps_);
    gaps_->rbegin()->set_count(late);
  }

  // `looked_at` may be null.
  void AddEntry(const std::string& path, const std::string& name,
                const absl::StatusOr<TreeEntry>* looked_at, FsDirectory* result) {
    // Gone between the list and the look.
    if (looked_at != nullptr && base::IsGone(looked_at->status())) return;
    FsFile* file = result->add_entries();
    file->set_name(base::EncodeText(name));
    file->set_path(operand_.NameOf(Join(path, name)));
    if (looked_at != nullptr && looked_at->ok()) {
      const TreeEntry& entry = **looked_at;
      FillFsFile(entry.status, file);
      file->set_link_target(base::EncodeText(entry.link));
      if (!entry.link_status.ok()) {
        AddGap(file->path(), "readlink", entry.link_status, kNoLink, gaps_);
      }
    } else if (looked_at != nullptr) {
      AddGap(file->path(), "stat", looked_at->status(), "what it is is unknown", gaps_);
    }
    ++*entries_;
    bytes_ += BytesOf(*file);
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
  size_t* entries_;
  size_t bytes_ = 0;
  Gaps* gaps_;
  absl::FunctionRef<void(const FsDirectory&)> take_;
};

}  // namespace

absl::StatusOr<FsFile> LookAtFile(const FsOperand& operand, bool follow, Gaps* gaps) {
  NSCTL_ASSIGN_OR_RETURN(const struct statx status,
                         operand.root->Stat(operand.path, {.follow_last = follow}));
  FsFile file;
  file.set_path(operand.Name());
  file.set_name(base::EncodeText(LastComponent(operand.path)));
  FillFsFile(status, &file);
  if (S_ISLNK(status.stx_mode)) {
    const absl::StatusOr<std::string> text = operand.root->ReadLink(operand.path);
    if (text.ok()) file.set_link_target(base::EncodeText(*text));
    if (!text.ok()) AddGap(file.path(), "readlink", text.status(), kNoLink, gaps);
  }
  return file;
}

absl::Status ListFiles(const FsOperand& operand, const FsListOptions& options, size_t* entries,
                       Gaps* gaps, absl::FunctionRef<void(const FsDirectory&)> take) {
  return Lister(operand, options, entries, gaps, take).Run();
}

}  // namespace nsctl::cmd
