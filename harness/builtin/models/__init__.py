"""Backbones: named pairs of generator and discriminator networks."""
