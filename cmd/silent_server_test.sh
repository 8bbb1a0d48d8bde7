#!/bin/bash
# Runs the commands that scan the host beside a FUSE file system whose server takes every request and
# answers none: all of them end, say what is missing, and leave nobody waiting. $1 is nsctl, $2 the
# server.
set -u
export LC_ALL=C.UTF-8

readonly nsctl=$PWD/$1
readonly silent_fuse=$PWD/$2
failed=0

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

if ! unshare --mount --uts true 2>/dev/null || [[ ! -c /dev/fuse ]]; then
  echo "SKIPPED: needs CAP_SYS_ADMIN and /dev/fuse"
  exit 0
fi

lab=$(mktemp -d)
readonly lab
mkfifo "$lab/ready" "$lab/keep"
mkdir "$lab/m"
# A mount namespace whose namespace files can be reached through that file system alone.
# shellcheck disable=SC2016 # for the inner shell to expand
unshare --mount --propagation private bash -c '
  cd "$1" && mount -t tmpfs -o mode=755 lab m && mkdir m/silent || exit 1
  coproc "$2" "$1/m/silent" <keep
  read -r fuse <&"${COPROC[0]}"
  [[ $fuse == mounted ]] || exit 1
  for name in one two three; do
    unshare --uts --propagation unchanged bash -c \
      "readlink /proc/self/ns/uts && mount --bind /proc/self/ns/uts m/silent/$name" || exit 1
  done >namespaces
  kill -USR1 "$COPROC_PID"
  echo "$COPROC_PID" >ready
  read -r _ <keep
' bash "$lab" "$silent_fuse" &
readonly pid=$!
exec 9<>"$lab/keep"
read -r server <"$lab/ready"

# shellcheck disable=SC2317 # called by the trap
leave() {
  # What waits for it is let go.
  kill -KILL "$server" 2>/dev/null
  exec 9>&-
  kill "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  rm -rf -- "$lab"
}
trap leave EXIT
readonly inside=/proc/$pid/root$lab/m/silent

# ends STATUS WORDS ARGUMENTS...: nsctl ends with that status within 25 seconds, and so does whoever
# reads what it says, which has WORDS in it.
ends() {
  local status=$1 words=$2 text got
  shift 2
  text=$(timeout --signal=KILL 25 "$nsctl" "$@" 2>&1 >"$lab/out")
  got=$?
  ((got == status)) || fail "nsctl $*: status $got, not $status: $text"
  [[ $text == *"$words"* ]] || fail "nsctl $*: no «$words» in: $text"
}

mapfile -t namespaces <"$lab/namespaces"
((${#namespaces[@]} == 3)) || fail "three namespaces expected: ${namespaces[*]}"
readonly gap='did not answer: its owner, parent and ids are unknown'

ends 0 "$gap" list -t uts
for namespace in "${namespaces[@]}"; do
  grep -q "${namespace//[^0-9]/}" "$lab/out" || fail "list lacks $namespace"
done
ends 3 "$gap" list -t uts --strict
ends 0 "" tree
ends 0 "" ps
ends 0 "$gap" snapshot -o json
grep -q '"error": *"ETIMEDOUT"' "$lab/out" || fail "no ETIMEDOUT in the snapshot"
ends 0 "" inspect "${namespaces[0]}"
ends 0 "" why "${namespaces[0]}"
grep -q "mounted at" "$lab/out" || fail "why tells no mount: $(<"$lab/out")"
ends 0 "" mounts "$pid"
ends 0 "" inspect "$pid"
for command in inspect why mounts; do
  ends 1 "did not answer within 5s" "$command" "$inside/one"
done
ends 0 "" caps "$pid"

exit "$failed"
