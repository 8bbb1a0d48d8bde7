// Names of users from the text of a passwd file. No NSS: names are read, never looked up.

#ifndef NSCTL_NSDISC_USERS_H_
#define NSCTL_NSDISC_USERS_H_

#include <sys/types.h>

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace nsctl::nsdisc {

// Names (kernel bytes) by uid.
using UserNames = absl::flat_hash_map<uid_t, std::string>;

// passwd(5). The first entry of a uid wins; lines that are no entries are passed over. A name
// longer than 256 bytes is passed over.
UserNames ParsePasswd(absl::string_view text);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_USERS_H_
