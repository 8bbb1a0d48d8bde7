// Finds members of JSON objects in their text, without building the document: what an engine says
// of a container may be a hundred times longer than what is wanted of it.
//
// The text is passed over, not checked; what is found is to be parsed (json_text.h).

#ifndef NSCTL_ENGINES_JSON_MEMBER_H_
#define NSCTL_ENGINES_JSON_MEMBER_H_

#include <initializer_list>

#include "absl/strings/string_view.h"
#include "engines/json_text.h"

namespace nsctl::engines {

// The text of the first member `name` of the object that `object` is, white space before it and
// after it included; empty where there is none. Names are compared as they are written, without
// escapes.
absl::string_view FindMember(absl::string_view object, absl::string_view name);

// The member of a member, and so on, parsed; null where it is not there or is no JSON.
Json ParseMember(absl::string_view object, std::initializer_list<absl::string_view> path);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_JSON_MEMBER_H_
