"""Every mutant."""

from __future__ import annotations

from tests.mutants import (
    of_bonds,
    of_carriers,
    of_certificate_files,
    of_deliveries,
    of_hostile,
    of_households,
    of_keeping,
    of_limits,
    of_noise,
    of_offers,
    of_pairing,
    of_parking,
    of_plain_services,
    of_sessions,
    of_stores_and_links,
    of_system_radios,
    of_the_gateway,
    of_waits,
    of_wire,
)
from tests.mutants.mutant import Mutant

MUTANTS: list[Mutant] = [
    *of_noise.MUTANTS,
    *of_wire.MUTANTS,
    *of_pairing.MUTANTS,
    *of_parking.MUTANTS,
    *of_bonds.MUTANTS,
    *of_households.MUTANTS,
    *of_keeping.MUTANTS,
    *of_hostile.MUTANTS,
    *of_offers.MUTANTS,
    *of_sessions.MUTANTS,
    *of_limits.MUTANTS,
    *of_stores_and_links.MUTANTS,
    *of_carriers.MUTANTS,
    *of_waits.MUTANTS,
    *of_certificate_files.MUTANTS,
    *of_system_radios.MUTANTS,
    *of_plain_services.MUTANTS,
    *of_the_gateway.MUTANTS,
    *of_deliveries.MUTANTS,
]
