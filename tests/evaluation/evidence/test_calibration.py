"""A method is calibrated once, by every image of the split that it names, block by block, and is left as it was."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from image_files import write_images
from torch import Tensor, nn

from harness.catalog import Catalog
from harness.contracts.stream import as_float
from harness.data import LoadedDataset, Split, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, OutlierScores, OutlierSet, RealSet
from harness.evaluation.evidence.calibration import BLOCK, Blocks, Calibration, check_calibration


class Scorer(nn.Module):
    """A scorer that draws, and keeps in a buffer of its network how much it was calibrated by.

    :ivar seen: images that it was calibrated by, all in one, once for each time.
    :ivar sizes: of the blocks.
    """

    subject: Mapping[str, str] = {}

    def __init__(self, calibrated_on: str | None = None) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(1))
        self.networks = {"net": self}
        self.seen: list[Tensor] = []
        self.sizes: list[int] = []
        self.drawn: list[float] = []
        if calibrated_on is not None:
            self.calibrated_on = calibrated_on

    def calibrate(self, blocks: Iterable[Tensor]) -> None:
        assert not torch.is_grad_enabled()
        assert not self.training
        self.drawn.append(float(torch.rand(1)))
        found = list(blocks)
        assert all(block.dtype == torch.float32 for block in found)
        self.sizes += map(len, found)
        self.seen.append(torch.cat(found))
        self.count.fill_(len(self.seen[-1]))

    def outlier_scores(self, images: Tensor) -> dict[str, Tensor]:
        return {"count": self.count.expand(len(images))}


def bench_of(trained: Any, dataset: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(trained, dataset, catalog, 0, "cpu")


def floats(split: Split) -> Tensor:
    return as_float(torch.from_numpy(split.values))


def test_all_training_images_are_shown_once_in_stored_order(digits: LoadedDataset, catalog: Catalog) -> None:
    scorer = Scorer()
    bench = bench_of(scorer, digits, catalog)
    for request in (OutlierScores(RealSet("train", 600)), OutlierScores(RealSet("test", 360))):
        bench.get(request)
    bench.get(OutlierScores(OutlierSet("digits", "test", 0.5, 20)))
    (seen,) = scorer.seen
    assert torch.equal(seen, floats(digits.finite("train")))
    assert scorer.sizes == [BLOCK] * 5 + [1437 - 5 * BLOCK]


def test_what_was_trained_on_is_the_fraction_of_the_run(digits: LoadedDataset, catalog: Catalog) -> None:
    scorer = Scorer("train")
    part = load_dataset(catalog, "digits", digits.root, fraction=0.1)
    bench_of(scorer, part, catalog).get(OutlierScores(RealSet("test", 10)))
    assert scorer.sizes == [144]


def test_a_method_may_be_calibrated_by_all_test_images_instead(digits: LoadedDataset, catalog: Catalog) -> None:
    scorer = Scorer("test")
    part = load_dataset(catalog, "digits", digits.root, fraction=0.1)
    bench_of(scorer, part, catalog).get(Calibration())
    assert torch.equal(scorer.seen[0], floats(digits.finite("test")))
    assert scorer.sizes == [250, 110]


def test_one_block_is_held_at_a_time(digits: LoadedDataset) -> None:
    alive: list[weakref.ref[Tensor]] = []
    for block in Blocks(digits.finite("train"), torch.device("cpu")):
        assert [made() for made in alive if made() is not None] == []
        alive.append(weakref.ref(block))
        assert block._base is None  # nor is it a part of something larger
        assert block.untyped_storage().nbytes() == 4 * block.numel()
        del block
    assert len(alive) == 6
    assert all(made() is None for made in alive)


def test_blocks_can_be_gone_through_again(digits: LoadedDataset) -> None:
    blocks = Blocks(digits.finite("test"), torch.device("cpu"))
    first, again = (torch.cat(list(blocks)) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(first, floats(digits.finite("test")))


def test_a_missing_test_split_is_one_line(catalog: Catalog, tmp_path: Any) -> None:
    heap = load_dataset(
        catalog, f"folder:{write_images(tmp_path / 'heap', np.zeros((20, 1, 8, 8), np.uint8))}", tmp_path
    )
    said = r"calibrated by test images \(calibrated_on\), but data set 'folder:.*heap' has no test split$"
    with pytest.raises(EvaluationError, match=said) as no:
        bench_of(Scorer("test"), heap, catalog).get(Calibration())
    assert "\n" not in str(no.value)
    check_calibration(Scorer(), heap)  # what was trained on is always there
    check_calibration(object(), heap)


def test_who_needs_none_is_shown_nothing(digits: LoadedDataset, catalog: Catalog) -> None:
    class Uncalibrated:
        networks: Mapping[str, Any] = {}
        calibrated_on = "test"

    assert bench_of(Uncalibrated(), digits, catalog).get(Calibration()) is None


def test_what_a_method_keeps_in_a_buffer_stays_and_its_modes_are_as_they_were(
    digits: LoadedDataset, catalog: Catalog
) -> None:
    scorer = Scorer().train()
    scores = bench_of(scorer, digits, catalog).get(OutlierScores(RealSet("test", 5)))
    assert scores["count"].tolist() == [1437.0] * 5
    assert scorer.training


def test_a_method_that_draws_is_calibrated_alike_every_time(digits: LoadedDataset, catalog: Catalog) -> None:
    drawn = []
    for _ in range(2):
        torch.rand(7)
        scorer = Scorer()
        bench_of(scorer, digits, catalog).get(Calibration())
        drawn += scorer.drawn
    assert drawn[0] == drawn[1]
