#!/bin/bash
# Every way to name what `nsctl exec` is to enter.
# shellcheck disable=SC2016 # inner shells expand
set -uo pipefail

readonly nsctl=$PWD/$1
# shellcheck source=cmd/exec_test_lib.sh
source "$PWD/$2"
cd "$TEST_TMPDIR" || exit 1

if ! start_scene '--user --map-root-user --net --uts'; then
  echo "SKIPPED: no namespaces can be made here"
  exit 0
fi
net=$(readlink "/proc/$scene/ns/net")
uts=$(readlink "/proc/$scene/ns/uts")
user=$(readlink "/proc/$scene/ns/user")
inode=$(tr -dc 0-9 <<<"$net")
own_net=$(readlink /proc/self/ns/net)
own_uts=$(readlink /proc/self/ns/uts)
own_user=$(readlink /proc/self/ns/user)

# What `nsctl exec` with the words from $2 on is in: net, uts and user namespace.
expect() {
  local wanted=$1 seen
  shift
  seen=$("$nsctl" exec "$@" -- sh -c 'echo $(readlink /proc/self/ns/net /proc/self/ns/uts /proc/self/ns/user)' 2>&1)
  [[ $seen == "$wanted" ]] || fail "exec $*: in \"$seen\", not \"$wanted\""
}

expect "$net $uts $user" "$scene"
expect "$net $uts $user" "pid:$scene"
expect "$net $uts $user" --target "$scene"
expect "$net $uts $user" -t "$scene" -a
expect "$net $own_uts $user" -U -n "$scene"
if ((EUID == 0)); then
  expect "$net $own_uts $own_user" -n "$scene"
  expect "$net $own_uts $own_user" "$net"
  expect "$net $own_uts $own_user" "net:$inode"
  expect "$net $own_uts $own_user" "/proc/$scene/ns/net"
  expect "$net $own_uts $own_user" "--net=/proc/$scene/ns/net"
  expect "$net $own_uts $own_user" -n "/proc/$scene/ns/net"
  expect "$own_net $uts $own_user" "-u/proc/$scene/ns/uts"
  expect "$net $uts $own_user" "-u/proc/$scene/ns/uts" "$net"
  expect "$own_net $uts $user" -a "--net=/proc/self/ns/net" "$scene"
  # The owner of a namespace without naming it.
  expect "$net $own_uts $user" -n --user-parent "$scene"
  seen=$("$nsctl" exec 'net:[1]' -- true 2>&1)
  [[ $seen == 'nsctl: exec: no namespace net:[1] can be reached'* && $seen != *CAP_* ]] ||
    fail "a namespace that is not there: $seen"

  # By the kernel's id.
  id=$("$nsctl" list --type net -o jsonl 2>/dev/null | grep "\"inode\":$inode," |
    grep -o '"kernel_id":"[0-9]*"' | tr -dc 0-9)
  if [[ -n $id ]]; then
    expect "$net $own_uts $own_user" "--net=:$id"
    seen=$("$nsctl" exec --net=:1 -- true 2>&1)
    [[ $seen == 'nsctl: exec: no namespace net with id 1 can be reached'* ]] ||
      fail "an id that was never dealt: $seen"
  fi

  # A bind mount that no process is in, and by its inode where that mount is all there is.
  touch mounted
  if unshare --net true && nsenter -t "$scene" -U -n true &&
    unshare --net=mounted true 2>/dev/null; then
    idle="net:[$(stat -c %i mounted)]"
    expect "$idle $own_uts $own_user" "$PWD/mounted"
    expect "$idle $own_uts $own_user" "$idle"
    umount mounted
  fi

  # The network namespace of a socket whose process is elsewhere.
  if command -v python3 >/dev/null; then
    python3 -c '
import ctypes, os, socket, time
left = socket.socket()
os.dup2(left.fileno(), 77)
ctypes.CDLL(None).unshare(0x40000000)
print(flush=True)
time.sleep(1000)' >started &
    holder=$!
    until [[ -s started ]]; do sleep 0.01; done
    expect "$own_net $own_uts $own_user" -N 77 "$holder"
    expect "nsctl: exec: pidfd_getfd fd 78 of process $holder: Bad file descriptor (EBADF)" \
      --net-socket=78 "$holder"
    kill "$holder"
    wait "$holder" 2>/dev/null

    # Network namespaces that nothing but a socket or a TUN file keeps alive.
    for kind in 'socket.socket()' 'listen()' 'os.open("/dev/net/tun", os.O_RDWR)'; do
      rm -f started
      python3 -c '
import ctypes, os, socket, sys, time
def listen():
    server = socket.socket(socket.AF_UNIX)
    server.bind("\0nsctl_exec_target_test")
    server.listen()
    return server
unshare = ctypes.CDLL(None).unshare
unshare(0x40000000)
print(os.readlink("/proc/self/ns/net"), flush=True)
held = '"$kind"'
unshare(0x40000000)
print(flush=True)
time.sleep(1000)' >started 2>/dev/null &
      holder=$!
      until [[ $(wc -l <started) == 2 ]] || ! kill -0 "$holder" 2>/dev/null; do sleep 0.01; done
      # There may be no TUN device here.
      if [[ $(wc -l <started) == 2 ]]; then
        held=$(head -n 1 started)
        expect "$held $own_uts $own_user" "$held"
        expect "$held $own_uts $own_user" "--net=$held"
      fi
      kill "$holder" 2>/dev/null
      wait "$holder" 2>/dev/null
    done
  fi
fi

# As nsenter is called, without a mark before the command.
expect_words() {
  local status=$1 wanted=$2 seen
  shift 2
  seen=$("$nsctl" exec "$@" 2>&1)
  [[ $? == "$status" && $seen == "$wanted" ]] || fail "exec $*: \"$seen\", not \"$wanted\""
}
if ((EUID == 0)); then
  expect_words 0 "$net" "--net=/proc/$scene/ns/net" readlink /proc/self/ns/net
  expect_words 0 "$net" -F -t "$scene" -n -- readlink /proc/self/ns/net
  expect_words 0 "$net" "-t$scene" -n readlink /proc/self/ns/net
  expect_words 0 "$net" "-n$net" readlink /proc/self/ns/net
fi
expect_words 2 'nsctl: exec: unknown option "-5"' -5 "$scene" -- true
expect_words 2 'nsctl: exec: "'"$uts"'" is not a net namespace' "--net=$uts" -- true
expect_words 2 'nsctl: exec: -i and -t could mean two things: write -it for a terminal, or --ipc for the IPC namespace' \
  -i -t "$scene" -- true
mkdir -p nsb
touch nsb/net
seen=$("$nsctl" exec nsb/net -- true 2>&1)
[[ $seen == *'nsb/net'*'; a path begins with a dot: "./nsb/net"' ]] || fail "a relative path: $seen"

# Whoever may look at nobody is told so.
if ((EUID == 0)); then
  seen=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$nsctl" exec 'net:[1]' -- true 2>&1)
  [[ $seen =~ ^'nsctl: exec: no namespace net:[1] can be reached; '[0-9]+' processes could not be looked at, for want of CAP_SYS_PTRACE'$ ]] ||
    fail "nobody looks for a namespace: $seen"
fi

# gons's variables: its order, its texts.
if ((EUID == 0)); then
  gons() {
    local wanted=$1 seen
    shift
    seen=$(env "$@" "$nsctl" exec --gons-env sh -c 'echo $(readlink /proc/self/ns/net /proc/self/ns/user)' 2>&1)
    [[ $seen == "$wanted" ]] || fail "$*: \"$seen\", not \"$wanted\""
  }
  gons "$net $own_user" "gons_net=/proc/$scene/ns/net"
  gons "$net $user" "gons_net=/proc/$scene/ns/net" "gons_user=/proc/$scene/ns/user"
  gons "$net $user" "gons_net=/proc/$scene/ns/net" "gons_user=/proc/$scene/ns/user" gons_order=net,user
  gons 'nsctl: exec: package gons: invalid gons_net reference "/foo": No such file or directory' \
    gons_net=/foo
  gons 'nsctl: exec: package gons: cannot join gons_user using reference "/proc/self/ns/user": Invalid argument' \
    gons_user=/proc/self/ns/user
  gons "nsctl: exec: package gons: cannot join gons_net using reference \"/proc/$scene/ns/uts\": Invalid argument" \
    "gons_net=/proc/$scene/ns/uts"
  gons 'nsctl: exec: package gons: unknown namespace type "foo" in gons_order' gons_order=foo
  gons "$net $own_user" "gons_net=/proc/$scene/ns/net" gons_order=net,
  gons 'nsctl: exec: package gons: duplicate namespace order type net' \
    "gons_net=/proc/$scene/ns/net" gons_order=net,uts,net
  gons 'nsctl: exec: package gons: invalid gons_net reference "/foo": No such file or directory' \
    gons_net=/foo gons_order='!net,foo'
fi

finish
