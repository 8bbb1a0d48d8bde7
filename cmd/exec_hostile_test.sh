#!/bin/bash
# `nsctl exec` into namespaces whose owner means harm: what he can take hold of.
set -uo pipefail

readonly nsctl=$PWD/$1
# shellcheck source=cmd/exec_test_lib.sh
source "$PWD/$2"
# Where everybody may execute it.
common=$(mktemp -d)
chmod 755 "$common"
cp "$PWD/$3" "$common/seizer"
readonly common seizer=$common/seizer
cd "$TEST_TMPDIR" || exit 1

readonly nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
readonly namespaces='--user --map-root-user --mount --mount-proc --pid --net'

# shellcheck disable=SC2086 # options are words
if ((EUID != 0)) || ! start_scene "$namespaces" $nobody; then
  echo "SKIPPED: needs root, and namespaces"
  rm -r "$common"
  exit 0
fi

# Whoever is in the rest takes hold of whatever starts, while nsctl enters the scene again and again:
# he gets the command, and nothing that is on the way to it.
attack() {
  local name=$1 attacker
  shift
  mkfifo keep
  "$@" "$seizer" <keep >seized &
  attacker=$!
  exec 8>keep
  for _ in $(seq 500); do
    grep -q ready seized && break
    sleep 0.01
  done
  for _ in $(seq 30); do
    timeout -s KILL 20 "$nsctl" exec "$scene" -- sleep 0.01 || fail "$name: exec: $?"
  done
  exec 8>&-
  wait "$attacker"
  rm keep
  grep -q sleep seized || fail "$name: the attack came to nothing: $(head seized)"
  grep -q nsctl seized && fail "$name: what leads to the command was seized"
}

# shellcheck disable=SC2086
attack 'the owner' $nobody nsenter -U --preserve-credentials -t "$scene"
# shellcheck disable=SC2086
attack 'root inside' $nobody nsenter -U --preserve-credentials -m -p -t "$scene"
start_scene "$namespaces" || fail "no namespaces of root"
attack 'root as the owner' nsenter -U --preserve-credentials -t "$scene"
attack 'root inside of root'\''s' nsenter -U --preserve-credentials -m -p -t "$scene"

# The command itself is as open to its user as any.
[[ $("$nsctl" exec -U -S 0 "$scene" -- stat -c %u /proc/self/environ) == 0 ]] ||
  fail "the command is not dumpable"
[[ $("$nsctl" exec -u -S 1000 -G 1000 $$ -- stat -c %u /proc/self/environ) == 1000 ]] ||
  fail "another user's command is not dumpable"

rm -r "$common"
finish
