#!/bin/bash
# Run by OSS-Fuzz's `compile` in the image of the Dockerfile beside it: puts the
# fuzz targets and their corpora into $OUT.
set -euo pipefail

: "${SRC:?}" "${OUT:?}"
config=fuzz
[[ ${SANITIZER-address} != coverage ]] || config=fuzz-coverage
# Compiler flags of the environment are left out: they ask for libc++, and the
# distribution's libraries are built with libstdc++. --config=fuzz has the rest.
unset CFLAGS CXXFLAGS LDFLAGS
"$SRC/nsctl/tools/fuzz" --build="$OUT" --config="$config"
