"""How numbers are measured, as ids and fields; needs no torch."""
