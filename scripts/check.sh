#!/usr/bin/env bash
# Checks format, lint, types and tests; stops at the first that fails and says which.
set -u
cd "$(dirname "$0")/.."
step() {
    local name=$1
    shift
    echo "== $name: $*"
    "$@" || { echo "check.sh: $name failed" >&2; exit 1; }
}
step format ruff format --check .
step lint ruff check .
step types mypy
step tests python -m pytest "$@"
echo "check.sh: all is well"
