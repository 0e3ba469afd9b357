"""Fully connected networks for points."""
