// Early return on failure. For .cc files only: headers of this project never include this file.
//
//   NSCTL_RETURN_IF_ERROR(Step());
//   NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, Open(path));

#ifndef NSCTL_BASE_STATUS_MACROS_H_
#define NSCTL_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define NSCTL_STATUS_CONCAT_INNER_(a, b) a##b
#define NSCTL_STATUS_CONCAT_(a, b) NSCTL_STATUS_CONCAT_INNER_(a, b)

// Evaluates `expression` (an absl::Status) once and returns it from the enclosing function if it is
// not OK.
#define NSCTL_RETURN_IF_ERROR(expression)                                 \
  do {                                                                    \
    if (absl::Status nsctl_status_ = (expression); !nsctl_status_.ok()) { \
      return nsctl_status_;                                               \
    }                                                                     \
  } while (false)

// Evaluates `expression` (an absl::StatusOr<T>) once; returns its status if it is not OK, else
// assigns its value to `declaration`. Expands to several statements: do not use it as the body of
// an unbraced if.
#define NSCTL_ASSIGN_OR_RETURN(declaration, expression)                 \
  auto NSCTL_STATUS_CONCAT_(nsctl_status_or_, __LINE__) = (expression); \
  if (!NSCTL_STATUS_CONCAT_(nsctl_status_or_, __LINE__).ok()) {         \
    return NSCTL_STATUS_CONCAT_(nsctl_status_or_, __LINE__).status();   \
  }                                                                     \
  declaration = *std::move(NSCTL_STATUS_CONCAT_(nsctl_status_or_, __LINE__))

#endif  // NSCTL_BASE_STATUS_MACROS_H_
