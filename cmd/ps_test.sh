#!/bin/bash
# Compares the PIDs that nsctl ps shows with what the kernel says in /proc/PID/status, both ways.
set -euo pipefail

readonly nsctl=$PWD/$1

# "PID NUMBER/NUMBER/...", sorted.
kernel_numbers() {
  # A process that ends meanwhile is none of the failures to look for.
  { grep -H NSpid: /proc/[0-9]*/status 2>/dev/null || true; } |
    sed -E 's,^/proc/([0-9]+)/status:NSpid:\t,\1 ,; s,\t,/,g' | sort
}

if unshare --pid --fork true 2>/dev/null; then
  # A process in three PID namespaces below this one.
  mkfifo "$TEST_TMPDIR/ready" "$TEST_TMPDIR/done"
  # shellcheck disable=SC2016 # for the inner shell to expand
  unshare --pid --fork unshare --pid --fork unshare --pid --fork sh -c \
    'read -r pid _ </proc/self/stat; echo "$pid" >"$0/ready"; read -r _ <"$0/done"' "$TEST_TMPDIR" &
  trap 'echo >"$TEST_TMPDIR/done"; wait' EXIT
  read -r inner <"$TEST_TMPDIR/ready"

  numbers=$(sed -n 's/^NSpid:\t//p' "/proc/$inner/status" | tr '\t' /)
  shown=$("$nsctl" ps --list --pid "$inner" --columns PIDS --noheadings)
  if [[ $shown != "$numbers" || $numbers != */*/*/1 ]]; then
    echo "FAIL: $inner has the numbers $numbers; nsctl says $shown"
    exit 1
  fi
  reference=1@$(readlink "/proc/$inner/ns/pid")
  found=$("$nsctl" ps --list --pid "$reference" --columns PID --noheadings)
  if [[ $found != "$inner" ]]; then
    echo "FAIL: $reference is $inner; nsctl says $found"
    exit 1
  fi
fi

before=$(kernel_numbers)
ours=$("$nsctl" ps --list --columns PID,PIDS --noheadings | sed -E 's/^ +//; s/ +/ /g' | sort)
after=$(kernel_numbers)

steady=$(comm -12 <(echo "$before") <(echo "$after"))
missing=$(comm -23 <(echo "$steady") <(echo "$ours"))
if [[ -z $steady || -n $missing ]]; then
  echo "FAIL: what the kernel says and nsctl does not: $missing"
  exit 1
fi
echo "$(wc -l <<<"$steady") processes compared"
