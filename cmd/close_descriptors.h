// Closes what a process has inherited and must not keep.

#ifndef NSCTL_CMD_CLOSE_DESCRIPTORS_H_
#define NSCTL_CMD_CLOSE_DESCRIPTORS_H_

#include <vector>

namespace nsctl::cmd {

// Closes all of this process's descriptors from `first` on but `kept`, in which -1 and what is
// below `first` stand for nothing. Nothing before Linux 5.9. Source: close_range(2).
void CloseAllBut(int first, std::vector<int> kept);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CLOSE_DESCRIPTORS_H_
