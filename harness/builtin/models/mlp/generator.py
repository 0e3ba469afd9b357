"""mlp's generator: hidden layers on the latent and what it is told."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.builtin.models.mlp.mlp_settings import MlpSettings
from harness.contracts import AdapterFactory, Generator, Noise, Place
from harness.layers import Adapters, Embedding, check_conditions, full


class MlpGenerator(Generator):
    """Hidden layers of linear, batch norm and ReLU on the latent and the unit-norm embedding of the condition."""

    def __init__(self, settings: MlpSettings, dim: int, conditions: int, adapters: AdapterFactory | None) -> None:
        super().__init__()
        self.latent_dim = settings.latent_dim
        self.conditions = conditions
        self.scale = settings.scale
        self.embedding = Embedding(conditions, settings.embedding_dim) if conditions else None
        inputs, width = settings.latent_dim + (settings.embedding_dim if conditions else 0), settings.generator_width
        self.layers = nn.ModuleList()
        for index in range(settings.generator_layers):
            norm = [nn.BatchNorm1d(width)] if settings.batch_norm else []
            self.layers.append(nn.Sequential(nn.Linear(width if index else inputs, width), *norm, nn.ReLU()))
        self.linear = nn.Linear(width, dim)
        self.places = tuple(
            Place("generator", "block", index, width, 0) for index in range(1, settings.generator_layers + 1)
        )
        self.adapters = Adapters(self.places, adapters)

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """Latent [N, latent_dim] and a condition to points [N, D], unbounded."""
        check_conditions("generator", self.conditions, condition)
        h = latent
        if self.embedding is not None:
            h = torch.cat([latent, F.normalize(self.embedding(condition))], 1)
        for place, layer in zip(self.places, self.layers, strict=True):
            h = self.adapters.at(place.name, layer(h), noise).map  # [N, width]
        return full(self.linear(h)) / self.scale
