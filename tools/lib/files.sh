# shellcheck shell=bash
# Sourced. Which files are ours.

# nsctl_git ARGS...: git in the checkout, whoever owns that: below sudo it is
# somebody else's, and git would refuse.
nsctl_git() {
  git -C "$NSCTL_ROOT" -c safe.directory="$NSCTL_ROOT" "$@"
}

# source_files [PATTERN...]: files of ours, new ones included, each ended by NUL.
source_files() {
  nsctl_git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r -d '' file; do
      # One that was deleted is listed until that is committed.
      [[ ! -f $NSCTL_ROOT/$file ]] || printf '%s\0' "$file"
    done
}

# changed_files PATTERN...: those that differ from the main branch, or from the
# commit before on that branch itself, most changed lines first, each ended by
# NUL.
changed_files() {
  local base
  base=$(nsctl_git merge-base HEAD origin/main 2>/dev/null || true)
  if [[ -z $base || $base == "$(nsctl_git rev-parse HEAD)" ]]; then
    # A first commit has none before it; everything is new then.
    base=$(nsctl_git rev-parse --verify --quiet HEAD~ || nsctl_git hash-object -t tree /dev/null)
  fi
  {
    nsctl_git diff --numstat --no-renames "$base" -- "$@"
    nsctl_git ls-files --others --exclude-standard -- "$@" | sed 's/^/0\t0\t/'
  } | sort -rn | cut -f 3 | while IFS= read -r file; do
    [[ ! -f $NSCTL_ROOT/$file ]] || printf '%s\0' "$file"
  done
}
