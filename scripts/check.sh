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
# Two processes of one thread each: two threads that wait for each other on shared cores are slower than one.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
step tests python -m pytest -n 2 --dist loadfile "$@"
echo "check.sh: all is well"
