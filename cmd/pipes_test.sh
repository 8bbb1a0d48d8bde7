#!/bin/bash
# What the real binary does with descriptors: readers that leave, closed and full outputs, streams.
set -uo pipefail

readonly nsctl=$PWD/$1
readonly snapshot=$PWD/$2
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# Runs the shell text $3 and compares its status and stderr.
expect() {
  local status=$1 message=$2 text=$3 err
  err=$(bash -c "set -o pipefail; nsctl() { exec '$nsctl' \"\$@\"; }; $text" 2>&1 >/dev/null)
  local actual=$?
  [[ $actual == "$status" ]] || fail "$text: exit status $actual, not $status"
  [[ $err == "$message" ]] || fail "$text: stderr is \"$err\", not \"$message\""
}

# Large enough that the binary must write more than once after its reader has left.
readonly large="$TEST_TMPDIR/large.jsonl"
"$nsctl" snapshot --from "$snapshot" -o jsonl 2>/dev/null | head -n 1 |
  sed 's/"statistics":{[^}]*}/"statistics":{"namespaces":20000}/; s/,"cgroups":.*/}/' >"$large"
for ((i = 1; i <= 20000; i++)); do
  echo '{"namespaces":[{"type":"net","inode":'$i',"reference":["/a/path/that/makes/lines/longer"]}]}'
done >>"$large"
echo '{"complete":true}' >>"$large"

readonly gap="nsctl: list: missing: 1 process (pid:1900): readlinkat ns: EACCES: its namespaces are unknown"

expect 0 '' "nsctl list --from '$large' -c NS"
# 141: killed by SIGPIPE.
expect 141 '' "nsctl list --from '$large' -o jsonl | head -n 1"
expect 141 '' "nsctl list --from '$large' -o json | head -n 1"
expect 141 '' "nsctl list --from '$large' -o pb --delimited | head -c 9"
expect 141 '' "nsctl list --from '$large' | head -n 1"
expect 141 '' "trap '' PIPE; nsctl list --from '$large' | head -n 1"

expect 1 '' "(nsctl list --from '$snapshot') >&-"
expect 1 '' "(nsctl version) >&-"
expect 0 '' "(nsctl list --from '$snapshot') 2>&-"
expect 1 'nsctl: list: read stdin: Bad file descriptor (EBADF)' "(nsctl list --from -) <&-"
if [[ -c /dev/full ]]; then
  expect 1 'nsctl: version: write stdout: No space left on device (ENOSPC)' \
    "(nsctl version) >/dev/full"
  expect 1 'nsctl: list: write stdout: No space left on device (ENOSPC)' \
    "(nsctl list --from '$large' -o jsonl) >/dev/full"
fi

expect 0 "$gap" "cat '$snapshot' | nsctl list --from -"
expect 0 "$gap" "nsctl list --from <(cat '$snapshot')"
expect 0 "$gap" "nsctl snapshot --from '$snapshot' -o pb 2>/dev/null | nsctl list --from -"

# A terminal is refused binary data, and gets colour and cut lines.
if command -v script >/dev/null; then
  on_terminal=$(script -qec "stty cols 40; '$nsctl' list --from '$snapshot' --type net" /dev/null 2>&1)
  [[ $on_terminal == *$'\e[1mNS\e[0m'* ]] || fail "no colour on a terminal"
  refused=$(script -qec "'$nsctl' snapshot -o pb --from '$snapshot'" /dev/null 2>&1)
  [[ $refused == *"garble the terminal"* ]] || fail "binary data on a terminal: $refused"
fi

((failures == 0))
