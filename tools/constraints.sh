#!/bin/sh
# Writes constraints.txt from pyproject.toml: one list for every supported Python and system.
set -eu

cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"
command -v uv >/dev/null 2>&1 || { echo "constraints: this needs uv (pip install uv)" >&2; exit 1; }

fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
{
    echo "# The versions that the project is built, tested and demonstrated with: Python 3.11 to 3.14 on Linux, macOS and Windows."
    echo "# Generated from pyproject.toml. After a change there run: make constraints"
    uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade --no-annotate \
        --no-header --no-emit-index-url --no-emit-find-links pyproject.toml
} >"$fresh"
cat "$fresh" >constraints.txt
echo "constraints: $(grep -c == constraints.txt) versions held"
