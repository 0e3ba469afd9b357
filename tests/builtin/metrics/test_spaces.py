from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from linear_latents import Linear, Styled, matrix, offer_of
from torch import Tensor

from harness.builtin.metrics.spaces import Twins, points, spaces, steady_batch_norm, twins_noise
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Inapplicable


@pytest.fixture
def bench(digits: LoadedDataset, catalog: Catalog) -> Callable[..., Bench]:
    return lambda trained, seed=3: Bench(trained, digits, catalog, seed=seed, device="cpu")


@dataclass(frozen=True)
class Moved(Twins):
    """Mean change of the image for a step of 1 in every element of the point."""

    def ends(self, bench: Bench, numbers: range) -> tuple[Tensor, Tensor]:
        first = points(bench, self.space, "moved", numbers, twins_noise(bench, numbers))
        return first, first + 1.0

    def measured(self, bench: Bench, points: tuple[Tensor, Tensor], images: tuple[Tensor, Tensor]) -> Tensor:
        return torch.stack([images[0].flatten(1).mean(1), (images[1] - images[0]).flatten(1).mean(1)], dim=1)


def twins(count: int = 7, space: str = "z") -> Moved:
    return Moved(space, count, 5, "eval")  # type: ignore[arg-type]


def test_both_images_of_a_pair_have_the_same_noise_and_each_block_its_own(bench: Callable[..., Bench]) -> None:
    trained = Linear(matrix(6, 16), noise=1.0)
    change = bench(trained).get(twins())[:, 1]
    assert torch.allclose(change, trained.matrix.sum(0).mean().double().expand(7), atol=1e-5)
    # the first block is made once more, to see that it repeats
    assert trained.noise_seeds[0] == trained.noise_seeds[1] == trained.noise_seeds[2]
    assert trained.noise_seeds[3] == trained.noise_seeds[4] != trained.noise_seeds[0]


def test_pairs_do_not_hang_on_how_many_there_are(bench: Callable[..., Bench]) -> None:
    trained = Linear(matrix(6, 16), noise=1.0)
    assert torch.equal(bench(trained).get(twins(7)), bench(trained).get(twins(23))[:7])
    assert set(trained.sizes) == {5}
    assert twins(7).make(bench(trained)).shape == (7, 2)


def test_pairs_hang_on_the_seed_and_on_their_number(bench: Callable[..., Bench]) -> None:
    trained = Linear(matrix(6, 16))
    found = bench(trained).get(twins(20))[:, 0]
    assert len(found.unique()) == 20
    assert not torch.equal(found, bench(trained, seed=4).get(twins(20))[:, 0])


def test_w_is_entered_at_the_styles(bench: Callable[..., Bench]) -> None:
    trained = Styled(matrix(6, 16))
    z, w = (bench(trained).get(twins(space=space)) for space in ("z", "w"))
    assert torch.allclose(z[:, 0], w[:, 0], atol=1e-5)  # the same images
    assert torch.allclose(z[:, 1], Styled.factor * w[:, 1], atol=1e-5)  # a step of styles is not multiplied


def test_a_generator_that_draws_noise_of_its_own_is_refused(bench: Callable[..., Bench]) -> None:
    class Restless(Linear):
        draws = torch.Generator().manual_seed(0)

        def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
            images = super().generate(latents, noise_seed)
            return images + 1e-4 * torch.randn(images.shape, generator=self.draws)

    with pytest.raises(EvaluationError, match="the same latents and noise seed gave images that differ"):
        bench(Restless(matrix(6, 16))).get(twins())


def test_a_generator_that_draws_from_the_global_generator_is_measured(bench: Callable[..., Bench]) -> None:
    class Global(Linear):
        def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
            images = super().generate(latents, noise_seed)
            return images + torch.randn(images.shape)

    trained = Global(matrix(6, 16))
    change = bench(trained).get(twins())[:, 1]
    assert torch.allclose(change, trained.matrix.sum(0).mean().double().expand(7), atol=1e-5)


def test_images_that_are_not_finite_are_refused(bench: Callable[..., Bench]) -> None:
    with pytest.raises(EvaluationError, match="NaN or infinite values in pairs 0 to 4; evaluate an earlier checkpoint"):
        bench(Linear(matrix(6, 16) * float("inf"))).get(twins())


def test_batch_norm_may_not_look_at_the_block(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Linear(matrix(6, 16)))
    with pytest.raises(Inapplicable, match="depends on the others in its block"):
        steady_batch_norm(offer_of(at_hand, EvaluationSettings(batch_norm="train"), (1, 4, 4)))
    assert steady_batch_norm(offer_of(at_hand, EvaluationSettings(batch_norm="standing"), (1, 4, 4))) == "standing"


def test_w_is_a_space_only_where_there_are_styles(bench: Callable[..., Bench]) -> None:
    settings = EvaluationSettings()
    assert spaces(offer_of(bench(Linear(matrix(6, 16))), settings, (1, 4, 4))) == ("z",)
    assert spaces(offer_of(bench(Styled(matrix(6, 16))), settings, (1, 4, 4))) == ("z", "w")
