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

std::string DescribeInRoot(base::FdRef root, absl::string_view path) {
  // "/" and "ROOT/" need no second slash.
  absl::string_view base = root.path();
  while (!base.empty() && base.back() == '/') base.remove_suffix(1);
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return absl::StrCat(base, "/", path);
}

absl::Status ResolveError(int error, base::FdRef root, absl::string_view path,
                          absl::string_view component) {
  const absl::Status status = base::ErrnoStatus(error, "resolve", DescribeInRoot(root, path));
  if (component.empty()) return status;
  // EREMOTE is the walker's own answer: no call returned it.
  const absl::string_view why =
      error == EREMOTE ? ", an automount that nothing is mounted on yet" : "";
  absl::Status located(status.code(),
                       absl::StrCat(status.message(), " at component \"",
                                    base::TerminalText(base::EncodeText(component)), "\"", why));
  status.ForEachPayload([&located](absl::string_view type_url, const absl::Cord& payload) {
    located.SetPayload(type_url, payload);
  });
  return located;
}

}  // namespace nsctl::procfsroot
