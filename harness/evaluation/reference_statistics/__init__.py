"""Gaussian statistics of features: fitted, in files, kept."""
