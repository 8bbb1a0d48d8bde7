// Snapshots in JSON: one object, or one object a line of which each holds a piece.

#ifndef NSCTL_NSDISC_SNAPSHOT_JSON_H_
#define NSCTL_NSDISC_SNAPSHOT_JSON_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nsctl::nsdisc {

// One JSON object among several.
struct JsonObject {
  // From its '{' to its '}'.
  absl::string_view text;
  // The line that it starts on, from 1.
  size_t line = 1;
  // It has a key "format" of its own, not in an object within.
  bool has_format = false;
};

// Takes the next object from `*rest`, which must not be blank, and white space around it. `*line`
// is the line that `*rest` starts on. Looks at brackets and strings alone: what is between them is
// for the parser. INVALID_ARGUMENT: cut short, or no object.
absl::StatusOr<JsonObject> TakeJsonObject(absl::string_view* rest, size_t* line);

// The JSON objects in `json`, which is not blank, merged into one serialised Snapshot, whose text
// is UTF-8 but need not be stored text. Names of fields may be the schema's or lowerCamelCase;
// unknown fields and names of enum values are passed over. INVALID_ARGUMENT, naming the line for
// what is in one of several objects. Peaks at twice the result's size.
absl::StatusOr<std::string> SnapshotJsonToBinary(absl::string_view json);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_SNAPSHOT_JSON_H_
