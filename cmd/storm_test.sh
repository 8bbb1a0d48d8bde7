#!/bin/bash
# Looks at a host on which 1,000 processes a second make namespaces and end: every look succeeds, is
# consistent, comes back in time, and takes nothing for dark that only came and went. $1 is nsctl, $2
# the storm.
set -uo pipefail

readonly nsctl=$PWD/$1
readonly storm=$PWD/$2
failed=0

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

if ! unshare --mount true 2>/dev/null; then
  echo "SKIPPED: no namespaces can be made here (CAP_SYS_ADMIN)"
  exit 0
fi

coproc STORM { exec "$storm" 1000 8; }
# shellcheck disable=SC2153 # coproc sets it
readonly storm_pid=$STORM_PID
# shellcheck disable=SC2317 # called by the trap
cleanup() { kill "$storm_pid" 2>/dev/null; }
trap cleanup EXIT
exec 8<&"${STORM[0]}"

# look WHAT COMMAND...: runs it; its output is in out.
readonly out=$TEST_TMPDIR/out
look() {
  local start=$EPOCHREALTIME
  "$nsctl" "$@" >"$out" 2>"$out.err"
  local status=$?
  local milliseconds=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
  [[ $status == 0 ]] || fail "$*: exit status $status: $(cat "$out.err")"
  ((milliseconds < 10000)) || fail "$*: $milliseconds ms"
  ((milliseconds > slowest)) && slowest=$milliseconds
  # What comes and goes is counted, never a gap.
  grep -E 'ESRCH|ENOENT|ESTALE|EBADF|E0' "$out.err" | grep -v 'of those that ended meanwhile' &&
    fail "$*: a gap for what was gone"
}

rounds=0
slowest=0
while kill -0 "$storm_pid" 2>/dev/null; do
  look list --noheadings
  [[ -s $out ]] || fail "nothing listed"
  look list --dark --noheadings
  [[ -s $out ]] && fail "dark: $(cat "$out")"
  look snapshot --all -o pb
  cp "$out" "$out.pb"
  # Reading it checks that it agrees with itself.
  look snapshot --from "$out.pb" -o table
  look tree user --from "$out.pb"
  look ps
  rounds=$((rounds + 1))
done

result=$(cat <&8)
echo "storm: $result; $rounds rounds, the slowest command took $slowest ms"
[[ $result == 8000\ in* ]] || fail "no storm: $result"
((rounds >= 3)) || fail "$rounds rounds"
exit "$failed"
