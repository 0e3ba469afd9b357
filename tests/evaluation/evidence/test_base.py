from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.catalog import Catalog
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Evidence, Features, GeneratedSet, KnownModes, RealSet
from harness.evaluation.evidence.features import FEATURE_BATCH

Toy = Callable[..., Any]


@pytest.fixture
def bench(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(toy((1, 8, 8)), digits, catalog, seed=3, device="cpu")


class CountingExtractor:
    """An extractor that says the mean of each image, and counts what it is shown."""

    outputs = ("features", "logits")
    resize = "native"
    batch = 128

    def __init__(self) -> None:
        self.batches: list[int] = []

    def check(self, shape: tuple[int, ...]) -> None:
        return

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        assert images.dtype == torch.uint8
        self.batches.append(len(images))
        means = images.double().mean((1, 2, 3))[:, None].float()
        return {"features": means, "logits": -means}


def counting(bench: Bench, *names: str) -> list[CountingExtractor]:
    extractors = [CountingExtractor() for _ in names]
    bench._extractors.update(zip(names, extractors, strict=True))  # type: ignore[arg-type]
    return extractors


def test_equal_requests_are_the_same_evidence(bench: Bench) -> None:
    first = bench.get(GeneratedSet(20, block=10))
    assert bench.get(GeneratedSet(20, block=10)).images is not None
    assert torch.equal(bench.get(GeneratedSet(20, block=10)).images, first.images)
    assert bench.trained.sizes == [10, 10]


def test_the_largest_count_expected_is_made_and_the_smaller_cut_from_it(bench: Bench) -> None:
    bench.expect([GeneratedSet(8, block=10), GeneratedSet(30, block=10)])
    small = bench.get(GeneratedSet(8, block=10))
    large = bench.get(GeneratedSet(30, block=10))
    assert torch.equal(small.images, large.images[:8])
    assert torch.equal(small.latents, large.latents[:8])
    assert len(bench.trained.sizes) == 3


def test_a_count_beyond_all_expected_is_made_anew(bench: Bench) -> None:
    assert len(bench.get(GeneratedSet(8, block=10)).images) == 8
    assert len(bench.get(GeneratedSet(11, block=10)).images) == 11


def test_requests_that_differ_in_more_than_the_count_are_different_evidence(bench: Bench) -> None:
    evaluated = bench.get(GeneratedSet(10, block=10))
    trained = bench.get(GeneratedSet(10, block=10, batch_norm="train"))
    assert not torch.equal(evaluated.images, trained.images)


def test_one_sampling_pass_serves_every_extractor_output_and_count(bench: Bench) -> None:
    one, two = counting(bench, "one", "two")
    of = GeneratedSet(300, block=100)
    small, large = Features(of.resized(150), "one"), Features(of, "two")
    logits = Features(of.resized(200), "one", output="logits")
    bench.expect([small, logits, large])
    got = [bench.get(request) for request in (small, logits, large)]
    assert [len(rows) for rows in got] == [150, 200, 300]
    assert torch.equal(got[0], -got[1][:150])
    assert torch.equal(got[0], got[2][:150])
    assert len(bench.trained.sizes) == 3
    assert one.batches == two.batches == [FEATURE_BATCH] * 3


def test_images_that_somebody_wants_themselves_are_not_sampled_again_for_features(bench: Bench) -> None:
    counting(bench, "one")
    of = GeneratedSet(50, block=25)
    bench.expect([Features(of, "one"), of])
    bench.get(Features(of, "one"))
    bench.get(of)
    assert len(bench.trained.sizes) == 2


def test_features_do_not_depend_on_the_count_or_on_how_images_come(bench: Bench, toy: Toy) -> None:
    other = Bench(toy((1, 8, 8)), bench.dataset, bench.catalog, bench.seed, "cpu")
    many = bench.get(Features(GeneratedSet(290, block=29), "digits-cnn"))
    few = other.get(Features(GeneratedSet(130, block=29), "digits-cnn"))
    assert torch.equal(many[:130], few)


def test_generated_features_are_those_of_the_quantised_images(bench: Bench) -> None:
    of = GeneratedSet(10, block=10)
    expected = ((bench.get(of).images + 1) * 127.5).round().flatten(1) / 255
    assert torch.equal(bench.get(Features(of, "pixels")), expected)


def test_real_features_are_those_of_the_stored_images(bench: Bench) -> None:
    real = RealSet("train", 40)
    stored = torch.from_numpy(bench.get(real).values)
    assert torch.equal(bench.get(Features(real, "pixels")), stored.flatten(1).float() / 255)


def test_an_output_that_an_extractor_does_not_give_is_refused(bench: Bench) -> None:
    with pytest.raises(EvaluationError, match="'pixels' gives features, not logits"):
        bench.get(Features(GeneratedSet(4, block=4), "pixels", output="logits"))


def test_real_sets_are_prefixes_of_one_fixed_order_of_the_split(bench: Bench) -> None:
    split = bench.dataset.finite("train")
    whole = bench.get(RealSet("train", len(split)))
    part = Bench(None, bench.dataset, bench.catalog, 99, "cpu").get(RealSet("train", 100))
    assert np.array_equal(part.values, whole.values[:100])
    assert part.labels is not None
    assert len(set(part.labels.tolist())) == 10  # of every class, however the split is sorted
    rows = {row.tobytes() for row in split.values}
    assert {row.tobytes() for row in whole.values} == rows


@pytest.mark.parametrize("count", [0, 1438])
def test_a_real_set_of_an_impossible_size_is_refused(bench: Bench, count: int) -> None:
    with pytest.raises(EvaluationError, match=f"has 1437 items, not {count}"):
        RealSet("train", count).make(bench)


def test_a_generated_set_of_nothing_is_refused(bench: Bench) -> None:
    with pytest.raises(EvaluationError, match="at least 1 sample, not 0"):
        GeneratedSet(0).make(bench)


def test_known_modes_come_from_the_data_set(bench: Bench, ring2d: LoadedDataset) -> None:
    assert Bench(None, ring2d, bench.catalog, 0, "cpu").get(KnownModes()).means.shape == (8, 2)
    with pytest.raises(EvaluationError, match="'digits' has no known modes"):
        bench.get(KnownModes())


def test_a_plugin_may_bring_a_kind_of_its_own_made_from_other_evidence(bench: Bench) -> None:
    made = []

    @dataclass(frozen=True)
    class Brightness(Evidence[float]):
        of: Features

        def make(self, bench: Bench) -> float:
            made.append(self)
            return float(bench.get(self.of).mean())

    request = Brightness(Features(RealSet("test", 50), "pixels"))
    assert 0.2 < bench.get(request) < 0.5
    assert bench.get(Brightness(Features(RealSet("test", 50), "pixels"))) == bench.get(request)
    assert made == [request]


def test_a_pass_that_breaks_puts_the_networks_back(bench: Bench) -> None:
    class Broken(CountingExtractor):
        def __call__(self, images: Tensor) -> dict[str, Tensor]:
            raise RuntimeError("broken")

    bench._extractors["broken"] = Broken()
    bench.trained.net.train()
    with pytest.raises(RuntimeError, match="broken"):
        bench.get(Features(GeneratedSet(200, block=100), "broken"))
    assert bench.trained.net.training


def test_blocks_are_a_generator_that_can_be_closed(bench: Bench) -> None:
    assert isinstance(GeneratedSet(4, block=2).blocks(bench), Generator)
