# shellcheck shell=bash
# Sourced. Runs tests with Bazel and counts their cases.

# run_tests BAZEL_OPTION... -- TARGET...: ends with the line
# "N passed, N failed, N skipped"; fails if a test failed or none ran.
run_tests() {
  local events status=0 progress=()
  # Without a terminal, a sign of life now and then instead of a screen.
  [[ -t 2 ]] || progress=(--show_progress_rate_limit=30)
  events=$(mktemp)
  # A target that does not build must not hide the results of the others.
  nsctl_bazel test --keep_going --build_tests_only --symlink_prefix=/ \
    --build_event_json_file="$events" --build_event_json_file_path_conversion \
    "${progress[@]}" --test_summary=terse "$@" </dev/null || status=$?
  python3 "$NSCTL_ROOT/tools/lib/count_tests.py" "$events" "$status" || status=1
  rm -f -- "$events"
  return "$((status != 0))"
}
