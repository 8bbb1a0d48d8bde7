// JSON from engines: bytes of a stranger, read with limits, whose strings come out as stored text
// (base/text.h).
//
// A string that is not UTF-8 does not spoil the document that it is in: engines put labels and
// names of containers into their answers. Missing and mistyped members read as empty; no exception
// leaves.

#ifndef NSCTL_ENGINES_JSON_TEXT_H_
#define NSCTL_ENGINES_JSON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace nsctl::engines {

using Json = nlohmann::json;

struct JsonLimits {
  size_t max_bytes = 16 << 20;
  size_t max_depth = 64;
};

// One document. All its strings, names of members included, are stored text. Of members with the
// same name the last one counts.
//
// Errors: INVALID_ARGUMENT where it is no JSON, never with the text that it is;
// RESOURCE_EXHAUSTED past a limit.
absl::StatusOr<Json> ParseJson(absl::string_view text, JsonLimits limits = {});

// The member `name` of `object`; a null value where it is not there, or `object` is none. It lives
// as long as `object`.
const Json& Member(const Json& object, const char* name);

// "" for everything but a string.
std::string TextOf(const Json& value);
std::string TextMember(const Json& object, const char* name);

// nullopt for everything but a number that is whole and fits.
std::optional<int64_t> IntOf(const Json& value);
std::optional<int64_t> IntMember(const Json& object, const char* name);

// nullopt for everything but true and false.
std::optional<bool> BoolMember(const Json& object, const char* name);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_JSON_TEXT_H_
