#!/bin/bash
# A namespace that only a bind mount holds, to which no path leads but through a FUSE server that
# takes every question and answers none: scans come back, and say how far they are meanwhile. $1 is
# nsctl, $2 the server.
set -u
export LC_ALL=C.UTF-8 TERM=xterm
unset NO_COLOR

readonly nsctl=$PWD/$1
readonly silent_fuse=$PWD/$2
failed=0

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

scene=$(mktemp -d)
mkfifo "$scene/keep"
exec 7<>"$scene/keep"
# shellcheck disable=SC2317 # called by the trap
cleanup() {
  if [[ -n ${server:-} ]]; then
    kill -KILL "$server" 2>/dev/null
    wait "$server" 2>/dev/null
  fi
  rm -rf -- "$scene"
}
trap cleanup EXIT

if ! unshare --mount true 2>/dev/null || [[ ! -w /dev/fuse ]]; then
  echo "SKIPPED: no FUSE server can be mounted here (CAP_SYS_ADMIN, /dev/fuse)"
  exit 0
fi
mkdir "$scene/silent"
# shellcheck disable=SC2016 # for the inner shell
unshare --mount bash -c 'mount --make-rprivate / && exec "$1" "$2/silent" <"$2/keep" >"$2/out"' \
  bash "$silent_fuse" "$scene" 7>&- &
server=$!
for ((i = 0; i < 100; i++)); do
  [[ -s $scene/out ]] && break
  sleep 0.1
done
# shellcheck disable=SC2016 # for the inner shell
uts=$(nsenter -t "$server" --mount unshare --uts bash -c '
  mount --bind /proc/self/ns/uts "$1/silent/file" && readlink /proc/self/ns/uts' bash "$scene")
[[ $uts == uts:* ]] || { fail "no scene"; exit 1; }
kill -USR1 "$server"

# run LIMIT COMMAND...: its output is in out and err; it is back, with status 0, in time.
run() {
  local limit=$1
  shift
  SECONDS=0
  timeout -s KILL 60 "$nsctl" "$@" >"$scene/out" 2>"$scene/err"
  local status=$?
  [[ $status == 0 ]] || fail "$*: exit status $status: $(cat "$scene/err")"
  ((SECONDS <= limit)) || fail "$*: $SECONDS seconds"
}

run 20 list -c NS,TYPE,HELD-BY
inode=${uts//[^0-9]/}
grep -q "^$inode uts *bind-mount 1" "$scene/out" || fail "list lacks $uts: $(cat "$scene/out")"
grep -Fq "($uts): open bind mount: ETIMEDOUT: a file system on the way did not answer" \
  "$scene/err" || fail "no gap of list: $(cat "$scene/err")"
grep -q $'\r' "$scene/err" && fail "progress in a file"
run 20 snapshot -o pb

# On a terminal, which script(1) makes: drawn after a second, and taken away before the gaps.
shown=$(script -qec "'$nsctl' list -c NS" /dev/null </dev/null 2>&1)
[[ $shown == *$'\r'"relating namespaces"$'\e[K'* ]] || fail "no progress: ${shown@Q}"
[[ $shown == *$'\r\e[K'*"missing: "* ]] || fail "the progress stays: ${shown@Q}"
[[ ${shown##*missing: } == *"relating"* ]] && fail "progress after the result"
# Where stdout goes does not matter, where stderr goes does; a terminal may be too simple.
shown=$(script -qec "'$nsctl' list >'$scene/out'" /dev/null </dev/null 2>&1)
[[ $shown == *"relating namespaces"* ]] || fail "no progress beside a file: ${shown@Q}"
shown=$(script -qec "'$nsctl' list 2>'$scene/err'" /dev/null </dev/null 2>&1)
[[ $shown == *"relating namespaces"* || $(<"$scene/err") == *$'\r'* ]] && fail "progress on stdout"
shown=$(TERM=dumb script -qec "'$nsctl' list -c NS" /dev/null </dev/null 2>&1)
[[ $shown == *"relating namespaces"* ]] && fail "progress on a dumb terminal"

exit "$failed"
