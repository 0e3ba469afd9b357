"""Feature networks by name, opened with their weights verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness.contracts.feature_network import Extractor, ImageNetwork
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.weights import not_installed, verified_weights

if TYPE_CHECKING:
    from harness.catalog import Catalog


def check_takes_floats(network: ImageNetwork, name: str) -> None:
    """Refuse to show floats to a network made for 8 bits.

    :raises EvaluationError: naming the network.
    """
    if not getattr(network, "unrounded", False):
        raise EvaluationError(
            f"extractor '{name}' takes images of 8 bits only, and evaluation.quantise is none",
            "choose round or truncate, or name another extractor",
        )


def open_extractor(catalog: Catalog, name: str, device: torch.device) -> Extractor:
    """The extractor called `name`, its weights verified.

    Random numbers that a network draws before its weights are loaded are not taken from the caller's.

    :raises EvaluationError: where its weights are missing or not those that the checksum names, or its package is not
        installed.
    """
    spec = catalog.extractor(name)
    load = catalog.load_spec("extractor", name, "load")
    path = verified_weights(spec)
    try:
        with torch.random.fork_rng(devices=[]):
            extractor: Extractor = load(path, device)
    except ModuleNotFoundError as error:
        if spec.extra is None:
            raise
        raise not_installed(spec, error.name or spec.extra) from error
    return extractor
