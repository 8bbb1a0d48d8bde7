#include "testing/fake_lineage.h"

#include <errno.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "testing/recorded_tree.h"

namespace nsctl::testing {
namespace {

using base::NamespaceId;
using base::NamespaceType;
using nsdisc::Answer;
using nsdisc::NamespaceFacts;
using nsdisc::NamespaceWay;

// The keys and values of one line, each to be taken once.
using Fields = absl::flat_hash_map<std::string, std::string>;

absl::Status BadValue(absl::string_view key) {
  return absl::InvalidArgumentError(absl::StrCat("bad or missing ", key));
}

std::optional<std::string> Take(absl::string_view key, Fields* fields) {
  const auto found = fields->find(key);
  if (found == fields->end()) return std::nullopt;
  std::string value = std::move(found->second);
  fields->erase(found);
  return value;
}

std::optional<int> ErrnoFromName(absl::string_view name) {
  constexpr int kMaxErrno = 133;
  for (int error = 1; error <= kMaxErrno; ++error) {
    if (base::ErrnoName(error) == name) return error;
  }
  return std::nullopt;
}

template <typename T>
absl::Status TakeAnswer(absl::string_view key, Fields* fields, Answer<T>* answer) {
  const std::optional<std::string> value = Take(key, fields);
  T number = 0;
  if (value.has_value() && absl::SimpleAtoi(*value, &number)) {
    *answer = {.value = number, .error = 0};
    return absl::OkStatus();
  }
  const std::optional<int> error = ErrnoFromName(value.value_or(""));
  if (!error.has_value()) return BadValue(key);
  *answer = {.value = std::nullopt, .error = *error};
  return absl::OkStatus();
}

// A relative's inode; it is on the same device.
absl::Status TakeRelative(absl::string_view key, dev_t device, Fields* fields,
                          Answer<NamespaceId>* answer) {
  Answer<uint32_t> inode;
  NSCTL_RETURN_IF_ERROR(TakeAnswer(key, fields, &inode));
  answer->error = inode.error;
  if (inode.value.has_value()) answer->value = NamespaceId{device, *inode.value};
  return absl::OkStatus();
}

absl::StatusOr<dev_t> TakeDevice(Fields* fields) {
  const std::vector<std::string> numbers = absl::StrSplit(Take("device", fields).value_or(""), ':');
  unsigned int major_number = 0;
  unsigned int minor_number = 0;
  if (numbers.size() != 2 || !absl::SimpleAtoi(numbers[0], &major_number) ||
      !absl::SimpleAtoi(numbers[1], &minor_number)) {
    return BadValue("device");
  }
  return makedev(major_number, minor_number);
}

absl::Status TakeFacts(Fields* fields, NamespaceFacts* facts) {
  NSCTL_ASSIGN_OR_RETURN(facts->id.device, TakeDevice(fields));
  const dev_t device = facts->id.device;
  facts->kernel_id.error = ENOTTY;
  if (fields->contains("kernel_id")) {
    NSCTL_RETURN_IF_ERROR(TakeAnswer("kernel_id", fields, &facts->kernel_id));
  }
  if (facts->type == NamespaceType::kMnt) {
    facts->mount_count.error = ENOTTY;
    if (fields->contains("mount_count")) {
      NSCTL_RETURN_IF_ERROR(TakeAnswer("mount_count", fields, &facts->mount_count));
    }
  }
  if (base::InfoOf(facts->type).hierarchical) {
    NSCTL_RETURN_IF_ERROR(TakeRelative("parent", device, fields, &facts->parent));
  }
  if (facts->type != NamespaceType::kUser) {
    return TakeRelative("owner", device, fields, &facts->owner);
  }
  facts->owner = facts->parent;
  return TakeAnswer("owner_uid", fields, &facts->owner_uid);
}

absl::StatusOr<base::NamespaceLink> ReadLink(base::FdRef dir, const std::string& path) {
  char target[64];
  const ssize_t size = readlinkat(dir.get(), path.c_str(), target, sizeof(target));
  if (size < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "open", path);
  }
  const std::optional<base::NamespaceLink> link =
      base::ParseNamespaceLinkText({target, static_cast<size_t>(size)});
  if (!link.has_value()) return base::ErrnoStatus(ENOENT, "open", path);
  return *link;
}

// The link in the holder's directory; empty where the way goes over none.
std::string LinkPathOf(const NamespaceWay& way, NamespaceType type) {
  if (way.kind == NamespaceWay::Kind::kFd) return absl::StrCat("fd/", way.fd);
  if (way.kind != NamespaceWay::Kind::kLink) return "";
  return absl::StrCat("ns/", nsdisc::LinkEntryOf(way, type));
}

absl::Status AddLine(absl::string_view line, FakeLineage* lineage) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (words.size() < 3) return absl::InvalidArgumentError("cut short");
  const std::optional<NamespaceType> type = base::NamespaceTypeFromName(words[0]);
  if (!type.has_value()) return BadValue("type");
  NamespaceFacts facts{.type = *type, .id = {}};
  if (!absl::SimpleAtoi(words[1], &facts.id.inode)) return BadValue("inode");
  Fields fields;
  for (size_t i = 2; i < words.size(); ++i) {
    fields.insert(std::pair<std::string, std::string>(absl::StrSplit(words[i], '=')));
  }
  if (const std::optional<std::string> name = Take("open", &fields); name.has_value()) {
    const std::optional<int> error = ErrnoFromName(*name);
    if (!error.has_value()) return BadValue("open");
    lineage->Refuse(facts.type, facts.id.inode, *error);
  } else {
    NSCTL_RETURN_IF_ERROR(TakeFacts(&fields, &facts));
    lineage->Add(facts);
  }
  if (fields.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("unknown key ", fields.begin()->first));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FakeLineage>> FakeLineage::FromRecordedTree(absl::string_view text) {
  NSCTL_ASSIGN_OR_RETURN(const RecordedTree tree, ParseRecordedTree(text));
  auto lineage = std::make_unique<FakeLineage>();
  for (const RecordedNamespace& ns : tree.namespaces) {
    NSCTL_RETURN_IF_ERROR(base::Annotate(AddLine(ns.text, lineage.get()),
                                         absl::StrCat("recorded tree: line ", ns.line)));
  }
  return lineage;
}

void FakeLineage::Add(const NamespaceFacts& facts) {
  facts_.insert_or_assign(Key(facts.type, facts.id.inode), facts);
}

void FakeLineage::Refuse(NamespaceType type, uint32_t inode, int error) {
  refused_.insert_or_assign(Key(type, inode), error);
}

absl::StatusOr<std::vector<NamespaceFacts>> FakeLineage::Trace(
    const procfsroot::Procfs& procfs, const NamespaceWay& way,
    const nsdisc::NamespaceTarget& target,
    absl::FunctionRef<bool(NamespaceType, NamespaceId)> is_known) {
  const std::string path = LinkPathOf(way, target.type);
  base::NamespaceLink link = target;
  if (!path.empty()) {
    NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir dir, nsdisc::OpenHolder(procfs, way));
    NSCTL_ASSIGN_OR_RETURN(link, ReadLink(dir.fd(), path));
  }
  const Key start(link.type, link.inode);
  if (const auto refused = refused_.find(start); refused != refused_.end()) {
    return base::ErrnoStatus(refused->second, "open", path);
  }
  if (!facts_.contains(start)) return base::ErrnoStatus(ENOENT, "open", path);

  std::vector<NamespaceFacts> found;
  std::vector<Key> pending = {start};
  for (size_t next = 0; next < pending.size(); ++next) {
    const auto entry_of_next = facts_.find(pending[next]);
    if (entry_of_next == facts_.end()) continue;
    const NamespaceFacts& facts = entry_of_next->second;
    const bool is_seen = absl::c_linear_search(found, facts);
    if (next > 0 && (is_seen || is_known(facts.type, facts.id))) continue;
    found.push_back(facts);
    if (facts.owner.value.has_value()) {
      pending.emplace_back(NamespaceType::kUser, facts.owner.value->inode);
    }
    if (facts.parent.value.has_value()) {
      pending.emplace_back(facts.type, facts.parent.value->inode);
    }
  }
  return found;
}

}  // namespace nsctl::testing
