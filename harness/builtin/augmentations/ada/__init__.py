"""Adaptive discriminator augmentation (Karras et al., "Training GANs with Limited Data", NeurIPS 2020)."""
