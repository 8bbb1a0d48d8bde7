#include "cmd/exec_program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace nsctl::cmd {
namespace {

// As execvp(3) has it.
constexpr char kDefaultPath[] = "/bin:/usr/bin";

std::string PathVariable(const std::vector<std::string>& environment) {
  for (const std::string& variable : environment) {
    if (absl::StartsWith(variable, "PATH=")) return variable.substr(strlen("PATH="));
  }
  return kDefaultPath;
}

// 0 where `path` is a file that may be executed, else an errno.
int CheckExecutable(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

}  // namespace

bool IsNotFound(int error) { return error == ENOENT || error == ENOTDIR; }

FoundProgram FindProgram(const std::string& program, const std::vector<std::string>& environment) {
  if (absl::StrContains(program, '/')) return {program, CheckExecutable(program)};
  FoundProgram found = {program, ENOENT};
  if (program.empty()) return found;
  for (const absl::string_view directory : absl::StrSplit(PathVariable(environment), ':')) {
    const std::string path =
        absl::StrCat(directory.empty() ? absl::string_view(".") : directory, "/", program);
    const int error = CheckExecutable(path);
    if (error == 0) return {path, 0};
    if (!IsNotFound(error)) found.error = error;
  }
  return found;
}

}  // namespace nsctl::cmd
