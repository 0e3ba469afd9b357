"""Scoring images that lie in files, without a run."""
