"""What ends every discriminator: the linear head, what it says of the condition, and extra heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from harness.contracts.networks import Critique
from harness.devices import without_autocast
from harness.layers.spectral import Embedding, Linear, Rows

#: how the logit depends on the condition; see :class:`Heads`
Conditioning = Literal["projection", "biased_projection", "rows"]


def check_conditions(network: str, conditions: int, condition: Tensor | None) -> None:
    """Refuse a condition that the network was not built for, or a missing one: a mistake in a method, not a user's."""
    if (conditions > 0) != (condition is not None):
        told = f"one of {conditions} conditions" if conditions else "no condition"
        raise ValueError(f"this {network} was built to be told {told}")


class Heads(nn.Module):
    """Linear maps of the feature [N, feature_dim].

    Where there is a condition y, the logit is one of

    - "projection": w . f + b + V[y] . f, Miyato and Koyama (2018), eq. 3;
    - "biased_projection": w . f + b + V[y] . f + c[y];
    - "rows": V[y] . f + c[y], one logit a condition and nothing shared.

    :param eps: of the spectral norm, which all heads have or none.
    :param conditioning: which of these; without conditions they are the same.
    :param layer: builds the linear maps w . f + b and those of extra heads from (inputs, outputs); None: torch's own,
        spectrally normalised where `eps` is given.
    """

    def __init__(
        self,
        feature_dim: int,
        conditions: int,
        outputs: int,
        extra: Mapping[str, int],
        eps: float | None,
        conditioning: Conditioning = "projection",
        layer: Callable[[int, int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        made = layer if layer is not None else partial(Linear, eps=eps)
        self.conditions = conditions
        #: whether what is said of the condition is all of the logit
        self.alone = bool(conditions and outputs) and conditioning == "rows"
        self.linear = made(feature_dim, outputs) if outputs and not self.alone else None
        plain = conditioning == "projection"
        self.projection = Embedding(conditions, feature_dim, eps=eps) if conditions and plain else None
        self.rows = Rows(feature_dim, conditions, eps=eps) if conditions and not plain else None
        self.extra = nn.ModuleDict({name: made(feature_dim, width) for name, width in extra.items()})

    def forward(self, feature: Tensor, condition: Tensor | None) -> Critique:
        """Feature [N, F] and a condition to a critique without maps; in full precision, at no cost."""
        check_conditions("discriminator", self.conditions, condition)
        with without_autocast(feature):
            class_term = None
            if self.projection is not None:
                class_term = (self.projection(condition) * feature).sum(1)  # [N]
            if self.rows is not None:
                class_term = self.rows(feature, condition)  # [N]
            logit = class_term if self.alone else None
            if self.linear is not None:
                logit = self.linear(feature)  # [N, outputs]
                logit = logit.squeeze(1) if logit.shape[1] == 1 else logit
                logit = logit if class_term is None else logit + class_term
            extra = {name: head(feature) for name, head in self.extra.items()}
        return Critique(logit=logit, class_term=class_term, feature=feature, heads=extra)


def full(features: Tensor) -> Tensor:
    """Features in at least float32, for sums that half precision cannot hold."""
    return features.float() if features.dtype in (torch.bfloat16, torch.float16) else features
