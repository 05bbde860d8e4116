#!/bin/sh
# Holds the branch coverage of the last test run: all of the protocol core, nine tenths of what stands around it.
set -eu

coverage=${1:?usage: coverage.sh COVERAGE}
core='*/blechannel/noise/*,*/blechannel/wire/*,*/blechannel/pairing/*,*/blechannel/session/*'
core=$core,'*/blechannel/delivery/*'
core=$core,'*/blechannel/codec.py,*/blechannel/config.py,*/blechannel/errors.py,*/blechannel/limits.py,*/blechannel/roles.py'
core=$core,'*/blechannel/values.py'
status=0

hold() {  # title, floor in percent, then options of coverage report
    title=$1 floor=$2
    shift 2
    echo
    echo "$title: branch coverage, at least $floor %"
    "$coverage" report --fail-under="$floor" "$@" || status=1
}

hold "Protocol core" 100 --include="$core"
hold "Around the core" 90 --omit="$core"
exit "$status"
