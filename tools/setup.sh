#!/bin/sh
# Makes a ready environment for this checkout, or does nothing when there is one:
#
#     sh tools/setup.sh VENV [EXTRAS]
#
# Needs Python 3.11 or newer and one of uv, venv with ensurepip, or pip 22.3 or newer; never a compiler.
# PYTHON chooses the interpreter. An interrupted run is begun again; an environment that
# somebody else made is filled, never removed.
set -eu

venv=${1:?usage: setup.sh VENV [EXTRAS]}
extras=${2:-all,test,dev}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

ready=$venv/.blechannel-ready            # three lines of what the environment was made from, one of PYTHON
unfinished=$venv/.blechannel-unfinished  # ours, and not ready
log=$venv/setup.log

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $*"; exit 1; }

fingerprint() {
    { cat pyproject.toml constraints.txt tools/setup.sh && grep __version__ blechannel/__init__.py; } | cksum
    printf '%s\n' "$root" "$extras"
}

runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        runs "$PYTHON" || die "PYTHON=$PYTHON is not a working Python 3.11 or newer"
        printf '%s\n' "$PYTHON"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if runs "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    die "no Python 3.11 or newer on PATH. Install one, or name it: make PYTHON=/path/to/python3.12 ..."
}

explain() {  # the end of the log, then its most likely cause in words
    tail -n 25 "$log" >&2 || true
    if grep -q 'No space left' "$log"; then
        die "the disk is full; free some space and run this again"
    elif grep -qE '[Cc]onnection (broken|refused|reset|timed out)|NewConnectionError|ProxyError|dns error|client error \(Connect\)|name resolution|[Nn]etwork is unreachable|Read timed out' "$log"; then
        die "the package index cannot be reached; check the network (or the proxy settings) and run this again"
    elif grep -qE 'compiler|gcc|clang|Failed building wheel' "$log"; then
        die "a package has no ready-made wheel for $("$python" -V 2>&1) on this system; try another Python"
    fi
    die "installing failed (see above; the whole output is in $log)"
}

create() {
    mkdir -p "$venv"
    : >"$unfinished"
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --allow-existing --no-project --python "$python" "$venv" >"$log" 2>&1 || explain
    elif "$python" -c 'import ensurepip' >/dev/null 2>&1; then
        "$python" -m venv "$venv" >"$log" 2>&1 || explain
    else  # as Debian ships it: an installed pip then fills the environment from outside
        "$python" -m venv --without-pip "$venv" >"$log" 2>&1 || explain
    fi
}

# The constraints hold for the build backend too, under each name that the installers know for that.
install() {
    if command -v uv >/dev/null 2>&1; then
        UV_BUILD_CONSTRAINT=constraints.txt uv pip install --python "$venv/bin/python" "$@"
        return
    fi
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        set -- "$venv/bin/python" -m pip install "$@"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        set -- "$python" -m pip --python "$venv/bin/python" install "$@"
    elif command -v pip3 >/dev/null 2>&1; then
        set -- pip3 --python "$venv/bin/python" install "$@"
    else
        die "neither uv nor pip was found; on Debian and Ubuntu: apt-get install python3-pip"
    fi
    PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 "$@"
}

fits() { runs "$venv/bin/python" && [ "${PYTHON:-$(tail -n 1 "$ready")}" = "$(tail -n 1 "$ready")" ]; }

[ "$(head -n 3 "$ready" 2>/dev/null)" = "$(fingerprint)" ] && fits && exit 0

python=$(choose_python)
if [ -e "$unfinished" ]; then
    say "setup: $venv was left unfinished; beginning again"
    rm -rf "$venv"
elif [ -e "$ready" ] && ! fits; then
    say "setup: $venv was made by another Python; beginning again"
    rm -rf "$venv"
elif [ -d "$venv" ] && [ -n "$(ls -A "$venv")" ] && ! runs "$venv/bin/python"; then
    die "$venv exists and holds no working Python 3.11 or newer; remove it and run this again"
fi

began=$(date +%s)
if runs "$venv/bin/python"; then
    say "setup: bringing $venv up to date ..."
    if [ -e "$ready" ]; then mv "$ready" "$unfinished"; fi
else
    say "setup: making $venv with $("$python" -V 2>&1) ($(command -v "$python")) ..."
    create
fi
say "setup: installing the versions of constraints.txt (some seconds to a minute) ..."
install -c constraints.txt -e ".[$extras]" >>"$log" 2>&1 || explain
"$venv/bin/python" -c 'import blechannel' || die "the installed package cannot be imported"
{ fingerprint && printf '%s\n' "$python"; } >"$ready"
rm -f "$unfinished"
say "setup: ready in $(($(date +%s) - began)) s"
