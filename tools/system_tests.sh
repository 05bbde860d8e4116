#!/bin/sh
# Runs the tests that need software of the system. In CI, as root on Debian, what is missing is installed first;
# elsewhere the line to run is shown and nothing is changed. A test that skips here is a failure: its software was promised.
set -eu

python=${1:?usage: system_tests.sh PYTHON}
cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"

if ! command -v tshark >/dev/null 2>&1; then
    if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "system tests: installing tshark"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends tshark >/dev/null
    else
        echo "system tests: tshark is missing. On Debian and Ubuntu: sudo apt-get install --no-install-recommends tshark" >&2
        exit 1
    fi
fi

echo "system tests: $(tshark --version 2>/dev/null | head -n 1)"
BLECHANNEL_NO_SKIPS=1 exec "$python" -m pytest -m system -rs --timeout=600
