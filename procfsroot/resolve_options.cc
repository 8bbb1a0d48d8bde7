#include "procfsroot/resolve_options.h"

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/text.h"

namespace nsctl::procfsroot {
namespace {

absl::Status WithMessage(const absl::Status& status, absl::string_view message) {
  absl::Status result(status.code(), message);
  status.ForEachPayload([&result](absl::string_view type_url, const absl::Cord& payload) {
    result.SetPayload(type_url, payload);
  });
  return result;
}

absl::string_view TextOf(ResolveReason reason) {
  switch (reason) {
    case ResolveReason::kNone:
      return "";
    case ResolveReason::kMagicLink:
      return ", which is a magic link: the kernel's way to a file that may be anywhere";
    case ResolveReason::kMountForbidsLinks:
      return ", which is on a mount with nosymfollow";
    case ResolveReason::kMountPoint:
      return ", which is a mount point";
    case ResolveReason::kLinkToMount:
      return ", which is a link across a mount point";
    case ResolveReason::kReader:
      return ", which means this process and nothing of the target";
  }
  return "";
}

// The kernel's words for ELOOP are those of a loop.
absl::string_view WordsOf(ResolveReason reason) {
  switch (reason) {
    case ResolveReason::kMagicLink:
    case ResolveReason::kMountForbidsLinks:
      return "Link is not followed";
    case ResolveReason::kReader:
      return "Leads to the reader itself";
    default:
      return "";
  }
}

}  // namespace

std::string DescribeInRoot(base::FdRef root, absl::string_view path) {
  // "/" and "ROOT/" need no second slash.
  absl::string_view base = root.path();
  while (!base.empty() && base.back() == '/') base.remove_suffix(1);
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  // Of each handle: StrCat would write all of it twice.
  std::string text;
  text.reserve(base.size() + 1 + path.size());
  text.append(base.data(), base.size());
  text += '/';
  text.append(path.data(), path.size());
  return text;
}

absl::Status ErrnoStatusInWords(int error, absl::string_view call, absl::string_view path,
                                absl::string_view words) {
  const absl::Status status = base::ErrnoStatus(error, call);
  return WithMessage(status, absl::StrCat(call, " ", base::TerminalText(base::EncodeText(path)),
                                          ": ", words, " (", base::ErrnoName(error), ")"));
}

absl::Status ResolveError(int error, base::FdRef root, absl::string_view path,
                          absl::string_view component, ResolveReason reason) {
  const std::string shown = DescribeInRoot(root, path);
  const absl::string_view words = WordsOf(reason);
  const absl::Status status = words.empty() ? base::ErrnoStatus(error, "resolve", shown)
                                            : ErrnoStatusInWords(error, "resolve", shown, words);
  if (component.empty()) return status;
  // EREMOTE is the walker's own answer: no call returned it.
  const absl::string_view why =
      error == EREMOTE ? ", an automount that nothing is mounted on yet" : TextOf(reason);
  return WithMessage(status,
                     absl::StrCat(status.message(), " at component \"",
                                  base::TerminalText(base::EncodeText(component)), "\"", why));
}

}  // namespace nsctl::procfsroot
