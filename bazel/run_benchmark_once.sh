#!/bin/bash
# Runs a benchmark binary for one iteration of each case; its figures mean
# nothing, but a case that crashes or reports an error fails the test.
set -euo pipefail

out=$("$@" --benchmark_min_time=0 --benchmark_color=false)
printf '%s\n' "$out"
if [[ $out == *"ERROR OCCURRED"* ]]; then
  echo "a benchmark case reported an error" >&2
  exit 1
fi
