"""Augmentations that stand before a discriminator, of real and generated images alike."""
