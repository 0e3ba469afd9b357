"""Residual networks: biggan and sngan."""
