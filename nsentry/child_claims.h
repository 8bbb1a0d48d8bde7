// Which children of this process somebody stands for already.
//
// A number that another process tells may be that of a child, and yet of another one than it says:
// two owners of one child would each wait for it and signal it.

#ifndef NSCTL_NSENTRY_CHILD_CLAIMS_H_
#define NSCTL_NSENTRY_CHILD_CLAIMS_H_

#include <sys/types.h>

namespace nsctl::nsentry {

// The child `pid` is the caller's from here to ReleaseChild. False where it is no child of this
// process that was not waited for, or is somebody's already. For all threads.
bool ClaimChild(pid_t pid);

// Before the child is waited for: afterwards its number may be another one's.
void ReleaseChild(pid_t pid);

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_CHILD_CLAIMS_H_
