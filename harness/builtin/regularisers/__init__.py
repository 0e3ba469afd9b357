"""Regularisers that look at a discriminator's scores and remember them."""
