"""One target under atheris: `python -m tests.fuzz.one TARGET [options of libFuzzer]`; `run` starts it."""

from __future__ import annotations

import sys
import warnings

import atheris

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of the libraries, about being instrumented
    with atheris.instrument_imports(include=["blechannel"]):
        from tests.fuzz.targets import TARGETS

    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
