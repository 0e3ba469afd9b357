"""A small image generator that counts how often it samples, data sets, and benches over one cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.catalog import Catalog
from harness.contracts.capabilities import Samples
from harness.data import LoadedDataset, load_dataset
from harness.evaluation import Bench
from harness.evaluation.reference_statistics.cache import ReferenceCache
from harness.randomness import Seeds


class ToySampler:
    """Latents [N, 8] through a linear map, batch norm and dropout to tanh images [N, *shape] or plain points [N, D].

    :ivar sizes: how many seeds each call was handed.
    :ivar runs: the run seeds that it was handed.
    """

    def __init__(self, shape: tuple[int, ...], seed: int = 0) -> None:
        self.shape = shape
        self.sizes: list[int] = []
        self.runs: set[int] = set()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            out = int(torch.tensor(shape).prod())
            self.net = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.Dropout(0.5), nn.Linear(32, out))
        # running statistics that fit the data, as after training, but not exactly
        self.net[1].running_mean.fill_(0.1)
        self.net[1].running_var.fill_(0.5)
        self.net[1].num_batches_tracked.fill_(1000)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self.net}

    @property
    def subject(self) -> Mapping[str, str]:
        return {"weights": "ema"}

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        self.sizes.append(len(seeds))
        self.runs.add(seeds.run_seed)
        latents = seeds.normal("latent", 8)
        values = self.net(latents).reshape(-1, *self.shape)
        return Samples(values.tanh() if len(self.shape) == 3 else values, None, latents)


@pytest.fixture
def toy() -> Callable[..., ToySampler]:
    """Builds a sampler of images or points of a shape."""
    return ToySampler


@pytest.fixture(scope="session")
def digits(catalog: Catalog) -> LoadedDataset:
    """scikit-learn's digits."""
    return load_dataset(catalog, "digits", Path("unused"))


@pytest.fixture(scope="session")
def ring2d(catalog: Catalog) -> LoadedDataset:
    """Eight Gaussians on a ring."""
    return load_dataset(catalog, "ring2d", Path("unused"))


@pytest.fixture
def cache(tmp_path: Path) -> ReferenceCache:
    return ReferenceCache(tmp_path / "kept")


@pytest.fixture
def fresh(digits: LoadedDataset, catalog: Catalog, cache: ReferenceCache) -> Callable[..., Bench]:
    """A bench as another evaluation would have it, over the same cache."""

    def build(dataset: LoadedDataset | None = None, trained: Any = None, **changes: Any) -> Bench:
        chosen = {"catalog": catalog, "device": "cpu", "cache": cache} | changes
        return Bench(trained, dataset or digits, seed=0, **chosen)

    return build
