#!/bin/bash
# Runs the statically linked smoke test: gRPC, protobuf and Abseil start up.
# Its own test cases are counted through smoke_test; here it is one.
set -euo pipefail

XML_OUTPUT_FILE='' GTEST_OUTPUT='' "$1"
