#!/bin/sh
# Runs the tests on every supported Python of this machine, each in an environment of its own (.venv-3.x), and says
# which were found. Coverage and the wheel's own test belong to `make test` and are not repeated.
#
#     sh tools/interpreters.sh [VERSION-TO-LEAVE-OUT]
set -eu

cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"
skip=${1:-}

is() { "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" >/dev/null 2>&1; }

find_python() {  # a version as 3.12 -> the path of an interpreter, or nothing
    if is "python$1" "$1"; then
        command -v "python$1"
        return
    fi
    if command -v pyenv >/dev/null 2>&1; then
        for candidate in "$(pyenv root)/versions/$1".*/bin/python; do
            if is "$candidate" "$1"; then
                printf '%s\n' "$candidate"
                return
            fi
        done
    fi
    if command -v uv >/dev/null 2>&1; then
        uv python find --quiet --no-project --no-python-downloads "$1" 2>/dev/null || true
    fi
}

passed='' failed='' missing=''
for version in 3.11 3.12 3.13 3.14; do
    if [ "$version" = "$skip" ]; then continue; fi
    python=$(find_python "$version")
    if [ -z "$python" ]; then
        missing="$missing $version"
        continue
    fi
    echo "== Python $version: $python"
    if PYTHON=$python sh tools/setup.sh ".venv-$version" all,test &&
        ".venv-$version/bin/python" -m pytest -q -n auto --maxprocesses=8 --dist=worksteal --ignore=tests/test_packaging.py --ignore=tests/bench -p no:cacheprovider; then
        passed="$passed $version"
    else
        failed="$failed $version"
    fi
done

echo "interpreters: passed on${passed:- none}; failed on${failed:- none}; not on this machine:${missing:- none}${skip:+; left out: $skip}"
[ -z "$failed" ] && [ -n "$passed$skip" ]
