// Prints what `nsctl caps` answers.

#ifndef NSCTL_CMD_CAPS_TEXT_H_
#define NSCTL_CMD_CAPS_TEXT_H_

#include "cmd/caps.pb.h"
#include "cmd/presentation.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// The user namespaces down to the process and to the target, what the process has in each, and the
// verdict with its reason:
//   ! user:[4026531837] process "systemd" (1) created by UID 0 ("root")
//   ├─ process "sh" (5) of UID 1000 ("ann")
//   │     ⋄─ effective: none
//   └─ ✓ user:[4026532342] process "unshare" (9) created by UID 1000 ("ann")
//      └─ ✓ target net:[4026532353] process "unshare" (9)
//            ⋄─ all 41 capabilities: its effective UID 1000 created user:[4026532342] ...
//            ⋄─ CAP_CHOWN CAP_DAC_OVERRIDE ...
// `brief` leaves out the names of capabilities and the sets of the process.
void PrintCapabilityReport(const CapabilityReport& report, bool brief,
                           const Presentation& presentation, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CAPS_TEXT_H_
