# shellcheck shell=bash
# Sourced. Bazel as the tools call it: from the checkout, for this user.

# Below sudo or su, HOME and USER may still be the caller's. Bazel keeps its
# output below them, and root's files there would lock that user out.
_bazel_user() {
  local entry
  entry=$(getent passwd "$EUID") || return 0
  if [[ ! -O ${HOME:-/nonexistent} ]]; then
    export HOME
    HOME=$(cut -d: -f6 <<<"$entry")
  fi
  export USER=${entry%%:*}
}

# nsctl_bazel ARGS...: bazel in the checkout, whatever the current directory.
nsctl_bazel() {
  (
    _bazel_user
    cd "$NSCTL_ROOT" || exit
    exec bazel "$@"
  )
}
