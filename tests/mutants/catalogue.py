"""Every mutant."""

from __future__ import annotations

from tests.mutants import of_bonds, of_noise, of_pairing, of_sessions, of_stores_and_links, of_system_radios, of_wire
from tests.mutants.mutant import Mutant

MUTANTS: list[Mutant] = [
    *of_noise.MUTANTS,
    *of_wire.MUTANTS,
    *of_pairing.MUTANTS,
    *of_bonds.MUTANTS,
    *of_sessions.MUTANTS,
    *of_stores_and_links.MUTANTS,
    *of_system_radios.MUTANTS,
]
