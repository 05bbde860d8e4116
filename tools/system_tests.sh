#!/bin/sh
# Runs the tests that need software of the system. In CI, as root on Debian, what is missing is installed first;
# elsewhere the line to run is shown and nothing is changed. A test that skips here is a failure: its software was promised.
# The virtual machine's kernel and BlueZ are no software of the system: its tests unpack them into .bluez-vm.
set -eu

python=${1:?usage: system_tests.sh PYTHON}
cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"

commands="tshark qemu-system-x86_64 mosquitto"
packages="tshark qemu-system-x86 mosquitto"
PATH=$PATH:/usr/sbin  # where Debian puts mosquitto
export PATH

missing=""
for command in $commands; do
    command -v "$command" >/dev/null 2>&1 || missing="$missing $command"
done

if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    if [ -n "$missing" ]; then
        echo "system tests: installing $packages"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        # shellcheck disable=SC2086
        apt-get install -y -qq --no-install-recommends $packages >/dev/null
    fi
elif [ -n "$missing" ]; then
    echo "system tests: missing:$missing. On Debian: sudo apt-get install --no-install-recommends $packages" >&2
    exit 1
fi

echo "system tests: $(tshark --version 2>/dev/null | head -n 1)"
BLECHANNEL_NO_SKIPS=1 exec "$python" -m pytest -m system -rs --timeout=600
