#include "nsdisc/gap_list.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/text.h"

namespace nsctl::nsdisc {
namespace {

std::string SubjectText(const GapSubject& subject) {
  switch (subject.kind) {
    case GapSubject::kHost:
      return "host";
    case GapSubject::kProcess:
      return absl::StrCat("pid:", subject.number);
    case GapSubject::kThread:
      return absl::StrCat("tid:", subject.number);
    case GapSubject::kNamespace:
      return base::NamespaceLinkText(subject.type, static_cast<uint32_t>(subject.number));
    case GapSubject::kCgroup:
      return absl::StrCat("cgroup:", base::EncodeText(subject.path));
  }
  return "";
}

}  // namespace

void GapList::Add(const GapSubject& subject, absl::string_view operation, int error,
                  absl::string_view consequence, uint64_t count) {
  Add(subject, operation, base::ErrnoName(error), consequence, count);
}

void GapList::Add(const GapSubject& subject, absl::string_view operation, absl::string_view error,
                  absl::string_view consequence, uint64_t count) {
  counts_[Key(subject, operation, error, consequence)] += count;
}

void GapList::Merge(GapList other) {
  for (auto& [key, count] : other.counts_) counts_[key] += count;
}

void GapList::MoveTo(google::protobuf::RepeatedPtrField<Gap>* gaps) {
  gaps->Reserve(gaps->size() + static_cast<int>(counts_.size()));
  for (const auto& [key, count] : counts_) {
    const auto& [subject, operation, error, consequence] = key;
    Gap* gap = gaps->Add();
    gap->set_subject(SubjectText(subject));
    gap->set_operation(operation);
    gap->set_error(error);
    gap->set_consequence(consequence);
    gap->set_count(count);
  }
  counts_.clear();
}

}  // namespace nsctl::nsdisc
