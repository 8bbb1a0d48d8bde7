#!/bin/bash
# Asks bash what it would offer, as a user who presses Tab does.
# Not -e: the script answers for itself, and compopt fails outside of readline.
set -uo pipefail

readonly nsctl=$PWD/$1
# shellcheck source=/dev/null # made by the program under test
# shellcheck source=/dev/null
source <("$nsctl" completion bash)
failures=0

# The words of a command line as readline splits them, the last being completed; then what must be
# offered.
expect() {
  local offered=$1
  shift
  COMP_WORDS=("$@")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _nsctl
  if [[ ${COMPREPLY[*]} != "$offered" ]]; then
    printf 'FAIL: %s\n  offers:   %s\n  expected: %s\n' "$*" "${COMPREPLY[*]}" "$offered"
    failures=$((failures + 1))
  fi
}

if [[ $(complete -p nsctl) != *"-F _nsctl nsctl" ]]; then
  echo "FAIL: bash knows of no completion for nsctl"
  failures=$((failures + 1))
fi

expect 'snapshot' nsctl sn
expect 'list ls' nsctl l
expect 'user pid mnt owner' nsctl tree ''
expect 'pid' nsctl tree p
expect '--no-containers --noheadings --no-truncate' nsctl list --no
expect '--no-containers --noheadings --no-truncate' nsctl ls --no
expect 'json jsonl' nsctl list -o js
expect 'json jsonl' nsctl list --output = js
expect 'table json jsonl textproto pb' nsctl list --output =
expect '--output=json --output=jsonl' nsctl list --output=js
expect 'lxkns' nsctl snapshot -o l
expect '' nsctl list -o l
expect 'uts user' nsctl list --type u
expect 'net,uts net,user' nsctl list --type net,u
expect 'PID PPID PNS PROJECT POD PATH' nsctl list -c P
expect '+PATH' nsctl list -c +PAT
expect 'NS,+PATH' nsctl list -c NS,+PAT
expect 'none' nsctl list --tasks = n
expect 'always' nsctl list --color al
expect 'bash' nsctl completion b
expect 'snapshot' nsctl help sn
expect 'cat cp' nsctl fs c
expect 'json jsonl' nsctl fs stat -o js
expect '--recursive' nsctl fs cp --rec
expect '' nsctl fs nonsense --x
expect '' nsctl nonsense --x

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
touch "$directory/a snapshot.pb"
mkdir "$directory/proc"
expect "$directory/a snapshot.pb" nsctl list --from "$directory/a"
expect "$directory/a snapshot.pb" nsctl list --from = "$directory/a"
expect "$directory/proc" nsctl list --procfs "$directory/"

((failures == 0))
