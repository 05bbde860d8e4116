"""Where bonds live: in memory, or in one SQLite file."""
