// Runs a C++ function in other namespaces, in a process of its own, and brings its result back.
//
//   NSCTL_ASSIGN_OR_RETURN(
//       const HostName name,
//       RunInNamespaces<HostName>(plan, [&]() -> absl::StatusOr<HostName> {
//         struct utsname names;
//         if (uname(&names) != 0) return base::ErrnoStatus(errno, "uname");
//         HostName name;
//         name.set_name(base::EncodeText(names.nodename));
//         return name;
//       }));
//
// The child has one thread, and of the caller's locks those stay locked that other threads held at
// that moment. After it entered a mount namespace nothing may be called that loads files by name
// (name services, locales, plugins): they would be the other side's.

#ifndef NSCTL_NSENTRY_RUN_IN_NAMESPACES_H_
#define NSCTL_NSENTRY_RUN_IN_NAMESPACES_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nsentry/enter.h"
#include "nsentry/entry_plan.h"

namespace nsctl::nsentry {

struct RunOptions {
  // For all of it, the entry included.
  absl::Duration timeout = absl::Seconds(10);
  size_t max_result = 64 << 20;
  // What the child writes to its stderr goes there, up to `max_error_text` bytes, whatever becomes
  // of its result; what is past that is dropped. Null: all is dropped.
  std::string* error_text = nullptr;
  size_t max_error_text = 64 << 10;
  EntryMethod method = EntryMethod::kAuto;
};

namespace internal {

// `function` returns a serialized message.
absl::StatusOr<std::string> RunSerialized(const EntryPlan& plan,
                                          absl::FunctionRef<absl::StatusOr<std::string>()> function,
                                          const RunOptions& options);

}  // namespace internal

// Returns what `function` returned; a Status comes back with its code, message and errno. `Proto`
// is a protobuf message. The child is killed past the deadline, and has been waited for when this
// returns. Its end sends this process a SIGCHLD.
// Errors: those of EnteredProcess::Start and of `function`; DEADLINE_EXCEEDED; ABORTED where the
// child ended without a result, naming the signal; RESOURCE_EXHAUSTED past `max_result`.
template <typename Proto>
absl::StatusOr<Proto> RunInNamespaces(const EntryPlan& plan,
                                      absl::FunctionRef<absl::StatusOr<Proto>()> function,
                                      const RunOptions& options = {}) {
  absl::StatusOr<std::string> bytes = internal::RunSerialized(
      plan,
      [&]() -> absl::StatusOr<std::string> {
        const absl::StatusOr<Proto> result = function();
        if (!result.ok()) return result.status();
        return result->SerializeAsString();
      },
      options);
  if (!bytes.ok()) return bytes.status();
  Proto result;
  if (!result.ParseFromString(*bytes))
    return absl::DataLossError("the child's result is malformed");
  return result;
}

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_RUN_IN_NAMESPACES_H_
