// Reads the states that runc and crun keep, from the folders where they keep them, below the root
// that the observer's own /run is in.
//
// Some of these folders belong to users: what is in them is limited, and their word about a process
// counts only where its start time is right, and the process is that user's.

#ifndef NSCTL_ENGINES_RUNTIME_FOLDERS_H_
#define NSCTL_ENGINES_RUNTIME_FOLDERS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "engines/runtime_state.h"
#include "procfsroot/handle.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

struct FoundState {
  RuntimeState state;
  // "runc" or "crun".
  std::string runtime;
  // Name of the folder between the runtime's and the container's: containerd's namespace. Stored
  // text, empty where there is none.
  std::string native_namespace;
  // Whose word it is: 0, or the one user that the file and the folders on the way belong to.
  uid_t owner = 0;
};

// Remembers what it read, as states do not change while a container runs. For one thread at a time.
class RuntimeFolders {
 public:
  explicit RuntimeFolders(procfsroot::Root root) : root_(std::move(root)) {}

  // By folder and name. What belongs to several users, or to one in the folder of another, is no
  // state, nor is what symlinks lead to. Adds to `gaps` what could not be read.
  std::vector<FoundState> Read(std::vector<EngineGap>* gaps);

 private:
  struct Remembered {
    uint64_t inode = 0;
    bool seen = false;
    std::optional<FoundState> state;
  };

  std::vector<procfsroot::DirectoryEntry> List(const std::string& folder,
                                               std::vector<EngineGap>* gaps);
  void ReadFolder(const std::string& folder, const std::string& native_namespace, bool is_crun,
                  std::optional<uid_t> user, std::vector<EngineGap>* gaps);

  const procfsroot::Root root_;
  // By path of the container's folder.
  std::map<std::string, Remembered> remembered_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_RUNTIME_FOLDERS_H_
