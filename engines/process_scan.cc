#include "engines/process_scan.h"

#include <limits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

absl::StatusOr<std::string> ReadLinkOf(const procfsroot::ProcessDir& process,
                                       const std::string& name) {
  char text[PATH_MAX];
  const ssize_t size = readlinkat(process.fd().get(), name.c_str(), text, sizeof(text));
  if (size < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "readlink", base::DescribePath(process.fd(), name));
  }
  return std::string(text, static_cast<size_t>(size));
}

}  // namespace

absl::StatusOr<ScannedProcess> ScanProcess(const procfsroot::Procfs& procfs, base::Pid pid) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir directory, procfs.OpenProcess(pid));
  return ScanProcess(directory, pid);
}

absl::StatusOr<ScannedProcess> ScanProcess(const procfsroot::ProcessDir& directory, base::Pid pid) {
  std::string text;
  const int error = directory.TryReadRecord("stat", procfsroot::kMaxStat, &text);
  if (error != 0) {
    return base::ErrnoStatus(error, "read", base::DescribePath(directory.fd(), "stat"));
  }
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::StatFields fields, procfsroot::ParseStat(text));
  return ScannedProcess{.pid = pid,
                        .parent = fields.parent,
                        .start_time = fields.start_time,
                        .name = std::string(fields.name),
                        .kernel_thread = fields.kernel_thread,
                        .zombie = fields.state == 'Z' || fields.state == 'X'};
}

absl::StatusOr<std::string> ReadExecutableName(const procfsroot::ProcessDir& process) {
  NSCTL_ASSIGN_OR_RETURN(const std::string path, ReadLinkOf(process, "exe"));
  absl::string_view name = path;
  absl::ConsumeSuffix(&name, " (deleted)");
  return std::string(name.substr(name.rfind('/') + 1));
}

absl::StatusOr<std::vector<std::string>> ReadArguments(const procfsroot::ProcessDir& process) {
  std::string text;
  const int error = process.TryReadRecord("cmdline", procfsroot::kMaxCommandLine, &text);
  if (error != 0 && error != EFBIG) {
    return base::ErrnoStatus(error, "read", base::DescribePath(process.fd(), "cmdline"));
  }
  std::vector<std::string> arguments;
  procfsroot::ForEachArgument(
      text, [&arguments](absl::string_view argument) { arguments.emplace_back(argument); });
  return arguments;
}

absl::StatusOr<uint64_t> ReadNamespaceInode(const procfsroot::ProcessDir& process,
                                            const char* name) {
  NSCTL_ASSIGN_OR_RETURN(const std::string text, ReadLinkOf(process, absl::StrCat("ns/", name)));
  // "pid:[4026531836]"
  absl::string_view number = text;
  uint64_t inode = 0;
  if (!absl::ConsumePrefix(&number, absl::StrCat(name, ":[")) ||
      !absl::ConsumeSuffix(&number, "]") || !absl::SimpleAtoi(number, &inode)) {
    return absl::InvalidArgumentError("a link below ns/ that names no namespace");
  }
  return inode;
}

}  // namespace nsctl::engines
