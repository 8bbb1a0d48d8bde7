#!/bin/bash
# Compares `nsctl exec` with util-linux's nsenter: the same options have the same effect.
set -uo pipefail

readonly nsctl=$PWD/$1
# shellcheck source=cmd/exec_test_lib.sh
source "$PWD/$2"
# nsenter goes there by entering its own mount namespace, which nsctl leaves out.
cd / || exit 1

if ! command -v nsenter >/dev/null; then
  echo "SKIPPED: no nsenter"
  exit 0
fi

# Where a command is and who it is. Written for any shell.
# shellcheck disable=SC2016 # for the inner shell to expand
readonly probe='for type in mnt cgroup uts ipc user pid net time; do readlink /proc/self/ns/$type; done
grep -e ^Uid -e ^Gid -e ^Groups -e ^Cap -e ^NoNewPrivs -e ^SigBlk -e ^SigIgn /proc/self/status
pwd; stat -c %d:%i / .; uname -n; echo "$MARK"; cat'

compared=0

# Runs both in the scene with the options $1, preceded by what is in the rest.
compare() {
  local options=$1 ours theirs our_status their_status
  shift
  # shellcheck disable=SC2086 # options are words
  theirs=$(echo input | MARK=m "$@" nsenter -t "$scene" $options -- /bin/sh -c "$probe" 2>&1)
  their_status=$?
  # shellcheck disable=SC2086
  ours=$(echo input | MARK=m "$@" "$nsctl" exec $options "$scene" -- /bin/sh -c "$probe" 2>&1)
  our_status=$?
  compared=$((compared + 1))
  [[ $our_status == "$their_status" ]] ||
    fail "$* $options: exit status $our_status, nsenter $their_status: $ours"
  [[ $ours == "$theirs" ]] ||
    fail "$* $options differs from nsenter:"$'\n'"$(diff <(echo "$theirs") <(echo "$ours"))"
}

if start_scene '--mount --uts --ipc --net --pid --cgroup --time'; then
  for options in -a -m -u -i -n -p -C -T '-m -n' '-n -p -u' '--net' '--mount --pid' \
    "-n/proc/$scene/ns/net" "--net=/proc/$scene/ns/net" "-n -u/proc/$scene/ns/uts" \
    '-n -S 7' '-n -G 7' '-n -S 7 -G 8' '-a -S 65534 -G 65534' \
    '-n -r' '-m -r' '-m -w' '-n -w' '-m -r -w' '-n -w/usr' '-m -w/usr' '-m -W /tmp' '-a -r -w' \
    '-n -F' '-p -F' '-n -Z' '-n --wd=/usr' '-n --wdns=/usr/bin' '-n --setuid=3 --setgid=4' \
    '-a --preserve-credentials'; do
    compare "$options"
  done
fi

if start_scene '--user --map-root-user --mount --uts --ipc --net --pid --cgroup'; then
  for options in -a -U '-U -n' '-U -m -p' '-U --preserve-credentials' '-U -S 0' '-U -S 0 -G 0' \
    '-U -n --preserve-credentials' '-n' '-m -u'; do
    compare "$options"
  done
fi

# Namespaces that the user namespace does not own are entered before it.
if start_scene '--net' && outer=$scene &&
  start_scene '--user --map-root-user --uts' nsenter -t "$outer" -n; then
  compare -a
  compare '-U -n -u'
fi

# Without root: what the user has made himself.
readonly nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
# shellcheck disable=SC2086
if ((EUID == 0)) && start_scene '--user --map-root-user --mount --net --pid' $nobody; then
  # shellcheck disable=SC2086
  compare '-U -n --preserve-credentials' $nobody
  # nsenter fails here: the namespace forbids setgroups(2), and it has no cgroup namespace to enter.
  # shellcheck disable=SC2086
  [[ $($nobody "$nsctl" exec "$scene" -- id -u) == 0 ]] || fail "not root in the user's own namespace"
fi

echo "$compared command lines compared"
((compared > 0)) || echo "SKIPPED: no namespaces can be made here"
finish
