"""The record of a run: what was measured, how, of what, at what cost, on which machine."""
