"""Sampling from trained generators: what most methods hand out as trained."""
