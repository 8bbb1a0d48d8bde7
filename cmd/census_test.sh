#!/bin/bash
# Makes namespaces that nothing in sight holds and looks for them with --census=bpf. $1 is nsctl.
set -u
export LC_ALL=C.UTF-8

nsctl=$1
failed=0
scene=$(mktemp -d)

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
  if [[ -n ${HIDER_PID:-} ]]; then
    kill "$HIDER_PID" 2>/dev/null
    wait "$HIDER_PID" 2>/dev/null
  fi
  rm -rf -- "$scene"
}
trap cleanup EXIT

# state_of FEATURE: as the doctor has it.
state_of() {
  "$nsctl" doctor -o json 2>/dev/null | python3 -c '
import json, sys
for check in json.load(sys.stdin)["checks"]:
    if check["name"] == sys.argv[1]:
        print(check["value"])
' "$1"
}

# Whoever may not gets the result without, and is told.
for user in "$(id -un)" nobody; do
  [[ $user == "$(id -un)" && $(state_of 'BPF census') == available ]] && continue
  [[ $user != "$(id -un)" && $(id -u) != 0 ]] && continue
  run=("$nsctl")
  if [[ $user == nobody ]]; then
    cp "$nsctl" "$scene/nsctl" && chmod 755 "$scene" "$scene/nsctl"
    run=(setpriv --reuid 65534 --regid 65534 --clear-groups "$scene/nsctl")
  fi
  said=$("${run[@]}" list --census=bpf 2>&1 >/dev/null) || fail "list as $user"
  grep -q 'BPF census: .*: namespaces that nothing in sight holds are missing' <<<"$said" ||
    fail "no gap for $user: $said"
  "${run[@]}" list --census=bpf --strict >/dev/null 2>&1
  status=$?
  [[ $status == 3 ]] || fail "list --strict as $user: exit status $status"
done

available=$(state_of 'BPF census')
if [[ $available != available ]] || ! unshare --net true 2>/dev/null; then
  echo "SKIPPED: needs CAP_SYS_ADMIN, CAP_BPF and Linux 6.18 (BPF census: $available)"
  exit "$failed"
fi

# Opens a new namespace of each type that it reads and puts it on its way between two sockets.
coproc HIDER {
  exec python3 -u -c '
import os, signal, socket, subprocess, sys

ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
own = {}
for line in sys.stdin:
    kind = line.strip()
    child = subprocess.Popen(["unshare", "--" + kind, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(b"x\n")
    child.stdin.flush()
    child.stdout.readline()
    fd = os.open("/proc/%d/ns/%s" % (child.pid, {"mount": "mnt"}.get(kind, kind)), os.O_RDONLY)
    child.communicate()
    socket.send_fds(ends[0], [b"x"], [fd])
    print(os.fstat(fd).st_ino)
    os.close(fd)
'
}

# hide TYPE: a new one; its inode is in `hidden` once it is on its way.
hide() {
  echo "$1" >&"${HIDER[1]}"
  read -r hidden <&"${HIDER[0]}"
  # The line is written before the descriptor is closed.
  while compgen -G "/proc/$HIDER_PID/fd/*" >/dev/null &&
    find "/proc/$HIDER_PID/fd" -lname "*:\[$hidden\]" 2>/dev/null | grep -q .; do :; done
}

hide net
net=$hidden
hide uts
uts=$hidden
hide user
user=$hidden

with=$("$nsctl" list --dark --census=bpf --noheadings -c NS,TYPE,STATE 2>/dev/null) ||
  fail "list --census=bpf"
for one in "$net net" "$uts uts" "$user user"; do
  [[ $(grep -c "^$one\b" <<<"$with") == 1 ]] || fail "no «$one» in: $with"
done

if [[ $(state_of listns) != available ]]; then
  "$nsctl" list --noheadings -c NS 2>/dev/null | grep -qx "$net" && fail "list without a census has $net"
  "$nsctl" inspect "net:[$net]" >/dev/null 2>&1 && fail "inspect without a census has $net"
fi
"$nsctl" inspect "net:[$net]" --census=bpf 2>/dev/null | grep -q "net:\[$net\]" || fail "inspect"
"$nsctl" why "net:[$net]" --census=bpf 2>/dev/null | grep -q "net:\[$net\]" || fail "why"
"$nsctl" tree user --census=bpf 2>/dev/null | grep -q "user:\[$user\]" || fail "tree"
"$nsctl" caps "net:[$net]" --census=bpf 2>/dev/null | grep -q "net:\[$net\]" || fail "caps"

# A snapshot keeps it; a comparison with the live host looks in the same way.
"$nsctl" snapshot --census=bpf -o pb >"$scene/before" 2>/dev/null || fail "snapshot"
"$nsctl" list --dark --from "$scene/before" --noheadings -c NS 2>/dev/null | grep -qx "$net" ||
  fail "list --from"
said=$("$nsctl" list --from "$scene/before" --census=bpf 2>&1 >/dev/null)
grep -q 'BPF census' <<<"$said" && fail "the snapshot has a census: $said"
hide ipc
"$nsctl" diff "$scene/before" -t ipc 2>/dev/null | grep -q "^+.*ipc:\[$hidden\]" || fail "diff"
"$nsctl" diff "$scene/before" -t ipc --census=kernel 2>/dev/null | grep -q "^+.*ipc:\[$hidden\]" &&
  [[ $(state_of listns) != available ]] && fail "diff --census=kernel has $hidden"

exit "$failed"
