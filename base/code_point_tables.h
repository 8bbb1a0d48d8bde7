// The tables behind code_points.h, generated from the Unicode character database by
// make_code_point_tables.py. Sorted, without overlaps.

#ifndef NSCTL_BASE_CODE_POINT_TABLES_H_
#define NSCTL_BASE_CODE_POINT_TABLES_H_

#include "absl/types/span.h"

namespace nsctl::base {

struct CodePointRange {
  char32_t first;
  char32_t last;
};

extern const absl::Span<const CodePointRange> kZeroWidthRanges;
extern const absl::Span<const CodePointRange> kWideRanges;

}  // namespace nsctl::base

#endif  // NSCTL_BASE_CODE_POINT_TABLES_H_
