"""The command line, capture analysis, and what is generated from the declarations."""
