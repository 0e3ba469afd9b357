"""Adversarial losses and gradient penalties: pure functions."""
