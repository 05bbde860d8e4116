"""Ways for fragments to travel; each module needs its own extra and is imported by name."""
