"""Feature networks that count what they are shown, for tests of when features are computed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.catalog import Catalog
from harness.evaluation import Bench


class Watched:
    """Says the mean and the largest pixel of each image of any shape, and counts the batches.

    :ivar batches: how many images each call was handed.
    """

    outputs = ("features", "logits")

    def __init__(self, resize: str = "native", batch: int = 128) -> None:
        self.resize = resize
        self.batch = batch
        self.batches: list[int] = []

    def check(self, shape: tuple[int, ...]) -> None:
        return

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        assert images.dtype == torch.uint8
        self.batches.append(len(images))
        flat = images.flatten(1).double()
        rows = torch.stack([flat.mean(1), flat.amax(1)], dim=1).float()
        return {"features": rows, "logits": -rows}


def watch(bench: Bench, name: str, **settings: Any) -> Watched:
    """Put a watched network in the place of the one called `name`."""
    network = Watched(**settings)
    bench._extractors[name] = network  # type: ignore[assignment]
    return network


def calls(bench: Bench, request: Any, name: str = "digits-cnn", **settings: Any) -> int:
    """How many batches a feature network sees for a request."""
    network = watch(bench, name, **settings)
    bench.get(request)
    return len(network.batches)


class Altered:
    """A catalog that says something else of one feature network.

    :param spec: what it says in its place.
    """

    def __init__(self, catalog: Catalog, spec: Any) -> None:
        self._catalog = catalog
        self._spec = spec

    def extractor(self, name: str) -> Any:
        return self._spec if name == self._spec.name else self._catalog.extractor(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)
