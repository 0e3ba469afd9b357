from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.catalog import Catalog
from harness.contracts.capabilities import Reconstructions, Samples
from harness.contracts.stream import as_float
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import (
    Assignments,
    Bench,
    Evidence,
    GeneratedSet,
    OutlierScores,
    Pair,
    RealSet,
    Reconstruction,
    pairs,
)
from harness.evaluation.evidence.method_outputs import ANSWER_BATCH
from harness.randomness import Seeds


class Asked:
    """A method that answers from an encoder with batch norm and dropout, and writes down how it was asked.

    :ivar sizes: images of each question.
    """

    subject: Mapping[str, str] = {}

    def __init__(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.encoder = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(0.5), nn.Linear(64, 5))
            self.decoder = nn.Linear(5, 64)
        self.networks = {"encoder": self.encoder, "decoder": self.decoder}
        self.sizes: list[int] = []
        self.scale = 4.0

    def _encode(self, images: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        assert not any(module.training for module in self.encoder.modules())
        assert images.dtype == torch.float32
        assert float(images.min()) >= -1.0
        assert float(images.max()) <= 1.0
        self.sizes.append(len(images))
        torch.rand(3)  # a method that draws
        self.encoder[1].running_mean += 1.0  # and one that leaves traces
        self.encoder[1].running_mean -= 1.0
        self.encoder[1].num_batches_tracked += 1
        return self.encoder(images)

    def assign(self, images: Tensor) -> Tensor:
        return self._encode(images).argmax(1)

    def outlier_scores(self, images: Tensor) -> Mapping[str, Tensor]:
        codes = self._encode(images)
        return {"norm": codes.norm(dim=1), "first": codes[:, 0]}

    def reconstruct(self, images: Tensor) -> Reconstructions:
        found = self._encode(images)
        return Reconstructions(self.scale * self.decoder(found).reshape(-1, 1, 8, 8), found)

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        latents = seeds.normal("latent", 5)
        return Samples((3 * self.decoder(latents)).reshape(-1, 1, 8, 8), None, latents)


def shift(pair: Pair) -> Tensor:
    return (pair.images - pair.rebuilt).square().flatten(1).mean(1)


def reach(pair: Pair) -> Tensor:
    return pair.rebuilt.abs().flatten(1).amax(1)


def strayed(pair: Pair) -> Tensor:
    return pair.found.norm(dim=1) if pair.given is None else (pair.found - pair.given).norm(dim=1)


@pytest.fixture
def bench(digits: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(Asked(), digits, catalog, 0, "cpu")


def another(bench: Bench, trained: Any = None) -> Bench:
    return Bench(trained or Asked(), bench.dataset, bench.catalog, 0, "cpu")


def stored(bench: Bench, count: int) -> Tensor:
    return as_float(torch.from_numpy(bench.get(RealSet("train", count)).values))


REAL = RealSet("train", 600)
REQUESTS = [Assignments(REAL), OutlierScores(REAL), Reconstruction(REAL, (shift, strayed))]


def only(made: Any) -> Tensor:
    """The answers as a tensor, whichever kind they are."""
    return made["norm"] if isinstance(made, Mapping) else made


# -------------------------------------------------------------------------------------------------
# all of them
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", REQUESTS, ids=["assign", "outlier_scores", "reconstruct"])
def test_questions_have_one_fixed_size(bench: Bench, request_: Evidence[Any]) -> None:
    assert len(only(bench.get(request_))) == 600
    assert bench.trained.sizes == [ANSWER_BATCH] * 3


@pytest.mark.parametrize("request_", REQUESTS, ids=["assign", "outlier_scores", "reconstruct"])
def test_answers_do_not_depend_on_the_count(bench: Bench, request_: Any) -> None:
    few = only(another(bench).get(request_.resized(251)))
    assert torch.equal(only(bench.get(request_))[:251], few)
    assert torch.equal(only(bench.get(request_.resized(251))), few)
    assert len(bench.trained.sizes) == 3  # cut from what was made


@pytest.mark.parametrize("request_", REQUESTS, ids=["assign", "outlier_scores", "reconstruct"])
def test_a_method_that_is_asked_is_as_it_was(bench: Bench, request_: Evidence[Any]) -> None:
    encoder = bench.trained.encoder
    encoder.train()
    encoder[2].eval()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    state = torch.get_rng_state()
    bench.get(request_)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert encoder.training
    assert encoder[1].training
    assert not encoder[2].training
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("request_", REQUESTS, ids=["assign", "outlier_scores", "reconstruct"])
def test_a_method_that_breaks_is_as_it_was(bench: Bench, request_: Evidence[Any]) -> None:
    def broken(images: Tensor) -> Any:
        bench.trained.encoder[1].num_batches_tracked += 1
        raise RuntimeError("broken")

    for name in ("assign", "outlier_scores", "reconstruct"):
        setattr(bench.trained, name, broken)
    bench.trained.encoder.train()
    with pytest.raises(RuntimeError, match="broken"):
        bench.get(request_)
    assert bench.trained.encoder.training
    assert int(bench.trained.encoder[1].num_batches_tracked) == 0


@pytest.mark.parametrize("batch_norm", ["eval", "train"])
def test_answers_about_its_own_samples_are_given_in_eval_mode(bench: Bench, batch_norm: Any) -> None:
    samples = GeneratedSet(70, block=20, batch_norm=batch_norm)
    bench.trained.sample = _in_range(bench.trained.sample)
    assert len(bench.get(Assignments(samples))) == 70
    assert len(bench.get(Reconstruction(samples, (shift,)))) == 70


def _in_range(sample: Any) -> Any:
    return lambda *given: (made := sample(*given))._replace(images=made.images.clamp(-1, 1))


# -------------------------------------------------------------------------------------------------
# clusters
# -------------------------------------------------------------------------------------------------


def test_clusters_are_those_of_the_images_in_their_order(bench: Bench) -> None:
    found = bench.get(Assignments(RealSet("train", 40)))
    bench.trained.encoder.eval()
    with torch.no_grad():
        assert torch.equal(found, bench.trained.encoder(stored(bench, 40)).argmax(1))
    assert found.dtype == torch.int64


@pytest.mark.parametrize("answer", [torch.zeros(250, 5), torch.zeros(250), torch.zeros(3, dtype=torch.int64)])
def test_clusters_of_another_shape_or_kind_are_refused(bench: Bench, answer: Tensor) -> None:
    bench.trained.assign = lambda images: answer
    with pytest.raises(EvaluationError, match=r"clusters of 250 images are whole numbers of shape \(250,\), not") as no:
        bench.get(Assignments(REAL))
    assert "\n" not in str(no.value)


# -------------------------------------------------------------------------------------------------
# outlier scores
# -------------------------------------------------------------------------------------------------


def test_every_score_is_kept_by_its_name_in_double_precision(bench: Bench) -> None:
    found = bench.get(OutlierScores(RealSet("train", 40)))
    assert list(found) == ["norm", "first"]
    assert all(scores.dtype == torch.float64 and scores.shape == (40,) for scores in found.values())
    bench.trained.encoder.eval()
    with torch.no_grad():
        codes = bench.trained.encoder(stored(bench, 40))
    assert torch.allclose(found["first"], codes[:, 0].double(), atol=1e-6)
    assert set(bench.get(OutlierScores(RealSet("train", 7)))) == {"norm", "first"}


def test_a_score_of_another_shape_is_refused(bench: Bench) -> None:
    bench.trained.outlier_scores = lambda images: {"fine": images.mean((1, 2, 3)), "odd": images.mean((2, 3))}
    with pytest.raises(EvaluationError, match=r"score 'odd' of 250 images has shape \(250, 1\)"):
        bench.get(OutlierScores(REAL))


def test_no_score_at_all_is_refused(bench: Bench) -> None:
    bench.trained.outlier_scores = lambda images: {}
    with pytest.raises(EvaluationError, match="the method gives no outlier score"):
        bench.get(OutlierScores(REAL))


# -------------------------------------------------------------------------------------------------
# reconstructions
# -------------------------------------------------------------------------------------------------


def test_scores_are_those_of_images_beside_what_became_of_them(bench: Bench) -> None:
    found = bench.get(Reconstruction(RealSet("train", 40), (shift, reach, strayed)))
    assert found.dtype == torch.float64
    assert found.shape == (40, 3)
    bench.trained.encoder.eval()
    with torch.no_grad():
        codes = bench.trained.encoder(stored(bench, 40))
        rebuilt = (4 * bench.trained.decoder(codes)).reshape(-1, 1, 8, 8).clamp(-1, 1)
    expected = shift(Pair(stored(bench, 40), rebuilt, None, codes))
    assert torch.allclose(found[:, 0], expected.double(), atol=1e-6)
    assert float(found[:, 1].max()) == 1.0  # clipped
    assert torch.allclose(found[:, 2], codes.norm(dim=1).double(), atol=1e-6)


def test_samples_come_with_the_latents_that_made_them(bench: Bench) -> None:
    found = list(pairs(bench, GeneratedSet(50, block=20)))
    assert [len(pair.images) for pair in found] == [20, 20, 10]
    made = bench.get(GeneratedSet(50, block=20))
    assert torch.equal(torch.cat([pair.given for pair in found]), made.latents)  # type: ignore[misc]
    assert torch.equal(torch.cat([pair.images for pair in found]), made.images.clamp(-1, 1))
    assert float(made.images.abs().max()) > 1.0
    assert bench.trained.sizes == [20, 20, 20]  # the last one filled up


def test_real_images_have_no_latents(bench: Bench) -> None:
    (pair,) = pairs(bench, RealSet("train", 10))
    assert pair.given is None
    assert pair.found.shape == (10, 5)


def test_requests_for_other_scores_are_other_evidence(bench: Bench) -> None:
    one = bench.get(Reconstruction(RealSet("train", 10), (shift,)))
    two = bench.get(Reconstruction(RealSet("train", 10), (reach, shift)))
    assert torch.equal(one[:, 0], two[:, 1])
    assert replace(Reconstruction(REAL, (shift,)), scores=(reach,)) != Reconstruction(REAL, (shift,))


def test_a_reconstruction_of_another_shape_is_refused(bench: Bench) -> None:
    bench.trained.reconstruct = lambda images: Reconstructions(images[:, :, :1], images.flatten(1))
    with pytest.raises(EvaluationError, match=r"images of shape \(250, 1, 8, 8\) were rebuilt as \(250, 1, 1, 8\)"):
        bench.get(Reconstruction(REAL, (shift,)))
