"""What the mlp backbone can be told; the defaults are the toy networks of Armandpour et al. (CVPR 2021)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness import Settings


class MlpSettings(Settings):
    """Settings of the mlp backbone."""

    latent_dim: int = Field(2, gt=0)
    """size of the latent"""
    generator_width: int = Field(400, gt=0)
    """units of each hidden layer of the generator"""
    generator_layers: int = Field(4, gt=0)
    """hidden layers of the generator, each linear, batch norm and ReLU"""
    batch_norm: bool = True
    """batch norm in the generator"""
    embedding_dim: int = Field(32, gt=0)
    """size of the unit-norm embedding of the condition, which is appended to the latent"""
    discriminator_width: int = Field(200, gt=0)
    """units of each hidden layer of the discriminator"""
    discriminator_layers: int = Field(3, gt=0)
    """hidden layers of the discriminator"""
    discriminator_activation: Literal["maxout", "relu", "leaky_relu"] = "maxout"
    """what follows each linear map of the discriminator (slope of leaky_relu: 0.2)"""
    maxout_pieces: int = Field(5, gt=1)
    """linear maps that a maxout unit takes the largest of"""
    conditioning: Literal["rows", "projection"] = "rows"
    """how a discriminator's logit depends on the condition: a row of the last linear map each, or a projection"""
    scale: float = Field(1.0, gt=0)
    """the networks see the data this many times as large, so that a training step is small beside a mode"""
