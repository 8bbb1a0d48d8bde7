#!/bin/bash
# A process that waits for a FUSE server in execve(2): the kernel lets nobody read of it, and whoever
# tries waits as well. Commands come back, tell of that and of all the rest. $1 is nsctl, $2 the server, $3 who waits.
set -u
export LC_ALL=C.UTF-8

readonly nsctl=$PWD/$1
readonly silent_fuse=$PWD/$2
readonly held_program=$PWD/$3
failed=0

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

scene=$(mktemp -d)
mkfifo "$scene/keep"
exec 7<>"$scene/keep"
started=()
# shellcheck disable=SC2317 # called by the trap
cleanup() {
  local pid
  for pid in "${started[@]}"; do
    kill -KILL "$pid" 2>/dev/null
  done
  for pid in "${started[@]}"; do
    wait "$pid" 2>/dev/null
  done
  umount --lazy "$scene/silent" 2>/dev/null
  rm -rf -- "$scene"
}
trap cleanup EXIT

if ! unshare --mount true 2>/dev/null || [[ ! -w /dev/fuse ]]; then
  echo "SKIPPED: no FUSE server can be mounted here (CAP_SYS_ADMIN, /dev/fuse)"
  exit 0
fi
mkdir "$scene/silent"
"$silent_fuse" "$scene/silent" <"$scene/keep" >"$scene/out" 7>&- &
started+=("$!")
for ((i = 0; i < 100; i++)); do
  [[ -s $scene/out ]] && break
  sleep 0.1
done

# Its namespace is to be found beside those that are held.
unshare --uts sleep 1000 7>&- &
other=$!
"$held_program" "$scene/silent/file" 7>&- &
in_exec=$!
started+=("$other" "$in_exec")
for ((i = 0; i < 100; i++)); do
  [[ $(readlink "/proc/$other/ns/uts") != "$(readlink /proc/self/ns/uts)" ]] && break
  sleep 0.1
done
uts=$(readlink "/proc/$other/ns/uts")
uts=${uts//[!0-9]/}
sleep 0.3

# On kernels whose links and stat wait for nobody, all is read at once.
held=1
timeout -s KILL 1 readlink "/proc/$in_exec/ns/uts" >/dev/null && held=0

# run LIMIT COMMAND...: its output is in out and err; it is back in time, with status 0 or 1.
run() {
  local limit=$1
  shift
  SECONDS=0
  timeout -s KILL 60 "$nsctl" "$@" >"$scene/out" 2>"$scene/err" </dev/null
  local status=$?
  ((status <= 1)) || fail "$*: exit status $status: $(cat "$scene/err")"
  ((SECONDS <= limit)) || fail "$*: $SECONDS seconds"
}

for command in 'list --type uts' 'ps' 'snapshot -o json'; do
  # shellcheck disable=SC2086 # words
  run 20 $command
  grep -q "$uts\|$other" "$scene/out" || fail "$command: nothing of the others"
done
if ((held)); then
  run 20 snapshot -o json
  grep -A 8 '"operation": *"open"' "$scene/out" | grep -q 'ETIMEDOUT' || fail "snapshot: no gap"
  run 20 list
  grep -q "$in_exec\|not be read\|gap" "$scene/err" || fail "list: nothing told: $(cat "$scene/err")"
  run 20 inspect "$in_exec"
  run 20 mounts "$in_exec"
  run 20 fs ls "$in_exec:/"
  grep -q "$in_exec" "$scene/err" || fail "fs: nothing told: $(cat "$scene/err")"
  SECONDS=0
  timeout -s KILL 60 "$nsctl" exec "$in_exec" -- true 2>"$scene/err" </dev/null
  [[ $? == 125 ]] || fail "exec: $(cat "$scene/err")"
  grep -q "ETIMEDOUT" "$scene/err" || fail "exec: nothing told: $(cat "$scene/err")"
  ((SECONDS <= 10)) || fail "exec: $SECONDS seconds"
fi
SECONDS=0
found=$(timeout -s KILL 60 "$nsctl" exec "uts:[$uts]" -- readlink /proc/self/ns/uts </dev/null)
[[ $found == "uts:[$uts]" ]] || fail "exec uts:[$uts]: $found"
timeout -s KILL 60 "$nsctl" exec container:nosuch -- true 2>"$scene/err" </dev/null
[[ $? == 125 ]] || fail "exec container:nosuch: $(cat "$scene/err")"
run 20 watch --containers --timeout 1s
((SECONDS <= 40)) || fail "exec and watch: $SECONDS seconds"
run 20 containers
run 20 tree

((failed == 0))
