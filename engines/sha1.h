// SHA-1, which WebSocket's handshake is defined by (FIPS 180-4). Proves nothing to anybody: it is
// for no other use.

#ifndef NSCTL_ENGINES_SHA1_H_
#define NSCTL_ENGINES_SHA1_H_

#include <string>

#include "absl/strings/string_view.h"

namespace nsctl::engines {

// The 20 bytes of the digest of `text`.
std::string Sha1(absl::string_view text);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_SHA1_H_
