from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from linear_latents import Linear, MeanSquare, Styled, matrix, offer_of, values
from torch import Tensor
from torch_fidelity.noise import batch_lerp, batch_slerp_unit

from harness.builtin.metrics.path_length import (
    DISTANCE,
    PathLength,
    PathSteps,
    lerp,
    looked_at,
    path_lengths,
    slerp,
    trimmed,
)
from harness.builtin.metrics.spaces import points
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.contracts.specs import ExtractorSpec, RemoteFile
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Inapplicable
from harness.randomness import Seeds, derived_seed


@pytest.fixture
def bench(digits: LoadedDataset, catalog: Catalog) -> Callable[..., Bench]:
    def build(trained: Any) -> Bench:
        made = Bench(trained, digits, catalog, seed=3, device="cpu")
        made._extractors[DISTANCE] = MeanSquare()  # type: ignore[assignment]
        return made

    return build


def steps(count: int = 40, **how: Any) -> PathSteps:
    chosen: dict[str, Any] = {"space": "z", "interpolation": "lerp", "sampling": "end", "crops": ("whole",)} | how
    return PathSteps(count=count, block=20, batch_norm="eval", **chosen)


def ends_of(bench: Bench, count: int, space: Any = "z") -> tuple[Tensor, Tensor]:
    return tuple(points(bench, space, f"path {which}", range(count), 0).double() for which in ("start", "end"))  # type: ignore[return-value]


def vectors(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# -- interpolation ---------------------------------------------------------------------------------------


def test_interpolations_agree_with_torch_fidelity() -> None:
    a, b = vectors(50, 8, 0), vectors(50, 8, 1)
    t = torch.rand(50, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert torch.allclose(lerp(a, b, t), batch_lerp(a, b, t[:, None]), atol=1e-12)
    a_unit, b_unit = a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True)
    turned = slerp(a, b, t)
    oracle = batch_slerp_unit(a_unit, b_unit, t[:, None])
    assert torch.allclose(turned / turned.norm(dim=1, keepdim=True), oracle, atol=1e-12)
    assert torch.allclose(turned.norm(dim=1), (1 - t) * a.norm(dim=1) + t * b.norm(dim=1))


@pytest.mark.parametrize("between", [lerp, slerp])
def test_paths_go_from_start_to_end_whatever_the_shape_of_latents(between: Callable[..., Tensor]) -> None:
    a, b = vectors(6, 8, 0).reshape(6, 2, 4), vectors(6, 8, 1).reshape(6, 2, 4)
    assert torch.allclose(between(a, b, torch.zeros(6)), a)
    assert torch.allclose(between(a, b, torch.ones(6)), b)


def test_latents_on_one_line_are_joined_by_the_line() -> None:
    a = torch.tensor([[2.0], [1.0], [-1.0]])
    b = torch.tensor([[4.0], [-1.0], [-3.0]])
    half = torch.full((3,), 0.5)
    assert slerp(a, b, half).flatten().tolist() == [3.0, 0.0, -2.0]


# -- steps of a linear generator -------------------------------------------------------------------------


@pytest.mark.parametrize("space", ["z", "w"])
@pytest.mark.parametrize("sampling", ["full", "end"])
def test_a_straight_path_of_a_linear_generator_has_the_length_of_its_chord(
    bench: Callable[..., Bench], space: str, sampling: str
) -> None:
    at_hand = bench(Styled(matrix(6, 16), noise=1.0))
    found = at_hand.get(steps(space=space, sampling=sampling))[:, 0]
    start, end = ends_of(at_hand, 40, space)
    factor = Styled.factor if space == "z" else 1.0
    chord = factor * (end - start) @ matrix(6, 16).double()
    assert torch.allclose(found, chord.square().mean(1), rtol=2e-2)


def test_an_arc_of_a_linear_generator_has_its_known_speed(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Linear(matrix(6, 16)))
    found = at_hand.get(steps(interpolation="slerp", sampling="full"))[:, 0]
    a, b = ends_of(at_hand, 40)
    t = Seeds(derived_seed("path", at_hand.seed), range(40)).uniform("share").double()[:, None]
    len_a, len_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    angle = ((a / len_a) * (b / len_b)).sum(1, keepdim=True).acos()
    at = (((1 - t) * angle).sin() * a / len_a + (t * angle).sin() * b / len_b) / angle.sin()
    turning = angle * ((t * angle).cos() * b / len_b - ((1 - t) * angle).cos() * a / len_a) / angle.sin()
    speed = turning * (len_a + (len_b - len_a) * t) + at * (len_b - len_a)
    assert torch.allclose(found, (speed @ matrix(6, 16).double()).square().mean(1), rtol=2e-2)
    assert float(t.std()) > 0.2


@pytest.mark.parametrize("interpolation", ["lerp", "slerp"])
def test_a_ten_times_larger_step_gives_the_same_length(bench: Callable[..., Bench], interpolation: str) -> None:
    class Bent(Linear):
        def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
            return super().generate(latents, noise_seed).tanh()

    at_hand = bench(Bent(0.3 * matrix(6, 16), noise=0.5))
    small, large = (
        path_lengths(("whole",), pairs=at_hand.get(steps(400, interpolation=interpolation, epsilon=epsilon)))["whole"]
        for epsilon in (1e-4, 1e-3)
    )
    assert small.value == pytest.approx(large.value, rel=0.01)


def test_ends_are_at_the_start_of_paths_and_full_paths_are_not(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Linear(matrix(6, 16)))
    start, _ = ends_of(at_hand, 20)
    first, second = steps(sampling="end").ends(at_hand, range(20))
    assert torch.equal(first, start.float())
    assert not torch.equal(second, first)
    full, _ = steps(sampling="full").ends(at_hand, range(20))
    assert float((full - first).norm(dim=1).min()) > 1e-3


def test_one_pass_over_images_serves_every_crop(bench: Callable[..., Bench]) -> None:
    trained = Linear(matrix(6, 32 * 32), shape=(1, 32, 32))
    at_hand = bench(trained)
    both = at_hand.get(steps(20, crops=("whole", "face")))
    assert len(trained.sizes) == 3
    assert at_hand.extractor(DISTANCE).seen == [(20, 3, 32, 32), (20, 3, 16, 16)]  # type: ignore[attr-defined]
    start, end = ends_of(at_hand, 20)
    chord = ((end - start) @ trained.matrix.double()).reshape(-1, 32, 32)
    assert torch.allclose(both[:, 0], chord.square().mean((1, 2)), rtol=1e-2)
    assert torch.allclose(both[:, 1], chord[:, 12:28, 8:24].square().mean((1, 2)), rtol=1e-2)


# -- what the distance sees ------------------------------------------------------------------------------


def test_images_are_made_smaller_only_beyond_256_pixels() -> None:
    image = torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    smaller = looked_at(image, "whole")
    assert smaller.shape == (1, 3, 256, 256)
    assert torch.allclose(smaller[0, 1, 3, 5], image[0, 1, 6:8, 10:12].mean(), atol=1e-6)
    assert torch.equal(looked_at(image[..., :256, :256], "whole"), image[..., :256, :256])
    # a face is cut out first, and is then small enough
    assert torch.equal(looked_at(image, "face"), image[:, :, 192:448, 128:384])


def test_grey_is_repeated_and_colour_is_not() -> None:
    grey = looked_at(torch.rand(2, 1, 16, 16), "whole")
    assert grey.shape == (2, 3, 16, 16)
    assert torch.equal(grey[:, 0], grey[:, 2])


# -- the mean --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 50, 99, 1000, 1234])
def test_the_ends_are_cut_off_as_the_authors_do(n: int) -> None:
    given = vectors(n, 1, n)[:, 0].exp()
    low = np.percentile(given.numpy(), 1, method="lower")
    high = np.percentile(given.numpy(), 99, method="higher")
    oracle = np.extract(np.logical_and(low <= given.numpy(), given.numpy() <= high), given.numpy())
    found = path_lengths(("whole",), pairs=given[:, None])["whole"]
    assert found.value == pytest.approx(oracle.mean(), rel=1e-12)
    assert found.std_error == pytest.approx(oracle.std(ddof=1) / len(oracle) ** 0.5, rel=1e-12)
    assert found.std_error_of == "sampling"
    assert found.details == pytest.approx({"kept": len(oracle), "mean_of_all": given.numpy().mean()})


def test_outliers_have_no_say() -> None:
    given = torch.ones(1000, dtype=torch.float64)
    given[:9] = 1e12
    given[500:509] = 0.0
    assert trimmed(given).tolist() == [1.0] * 982


def test_a_collapsed_generator_has_length_zero_and_is_told_on(bench: Callable[..., Bench]) -> None:
    found = path_lengths(("whole",), pairs=bench(Linear(torch.zeros(6, 16), noise=1.0)).get(steps()))["whole"]
    assert found.value == found.std_error == 0.0
    assert found.remark is not None
    assert "collapsed" in found.remark


# -- what is measured ------------------------------------------------------------------------------------


def protocols(offer: Any) -> list[str]:
    return [protocol.id for each in PathLength().measurements(offer) for protocol in each.protocols.values()]


def test_every_variant_has_a_protocol_of_its_own(bench: Callable[..., Bench]) -> None:
    trained = Styled(matrix(6, 32 * 32), shape=(1, 32, 32))
    settings = EvaluationSettings(pairs=30, block=10)
    rest = "eps0.0001,p1-p99,30pairs,float32,block10,bn-eval"
    assert protocols(offer_of(bench(trained), settings, (1, 32, 32))) == [
        f"ppl[lpips-vgg16,shrink256,grey3,z,slerp,full,whole,{rest}]",
        f"ppl[lpips-vgg16,shrink256,grey3,z,lerp,end,whole,{rest}]",
        f"ppl[lpips-vgg16,shrink256,grey3,z,lerp,end,face,{rest}]",
        f"ppl[lpips-vgg16,shrink256,grey3,w,lerp,full,whole,{rest}]",
        f"ppl[lpips-vgg16,shrink256,grey3,w,lerp,end,whole,{rest}]",
        f"ppl[lpips-vgg16,shrink256,grey3,w,lerp,end,face,{rest}]",
    ]


def test_every_protocol_gets_its_own_number(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Styled(matrix(6, 32 * 32), shape=(1, 32, 32)))
    settings = EvaluationSettings(pairs=30, block=10)
    found = []
    for measurement in PathLength().measurements(offer_of(at_hand, settings, (1, 32, 32))):
        computed = values(at_hand, measurement)
        assert computed.keys() == measurement.protocols.keys()
        found += [value.value for value in computed.values()]
    assert len(set(found)) == 6
    assert measurement.counts() == {"pairs": 30}


def test_without_styles_there_is_no_w_and_small_images_have_no_crop(bench: Callable[..., Bench]) -> None:
    trained = Linear(matrix(6, 16 * 16 * 3), shape=(3, 16, 16))
    ids = protocols(offer_of(bench(trained), EvaluationSettings(), (3, 16, 16)))
    assert [",".join(each.split(",")[2:5]) for each in ids] == ["z,slerp,full", "z,lerp,end"]
    assert all(",whole," in each and "grey" not in each for each in ids)


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 32, 32), (3, 32, 8)])
def test_images_that_the_distance_does_not_take_are_left_out(bench: Callable[..., Bench], shape: Any) -> None:
    with pytest.raises(Inapplicable, match="takes 1 or 3 channels and at least 16 pixels a side"):
        protocols(offer_of(bench(Linear(matrix(6, 16))), EvaluationSettings(), shape))


def test_one_pair_is_too_few(bench: Callable[..., Bench]) -> None:
    with pytest.raises(EvaluationError, match="at least 2 pairs, not 1; raise --set evaluation.pairs"):
        protocols(offer_of(bench(Linear(matrix(6, 16))), EvaluationSettings(pairs=1), (1, 16, 16)))


def test_missing_weights_are_told_of_before_anything_is_trained(bench: Callable[..., Bench]) -> None:
    offer = offer_of(bench(Linear(matrix(6, 16))), EvaluationSettings(), (1, 16, 16))
    weights = RemoteFile(name="w.pth", sha256="0" * 64)
    offer.spec = lambda name: ExtractorSpec(name=name, summary="", load="", accepts="", weights=weights)  # type: ignore[method-assign]
    with pytest.raises(EvaluationError, match=r"lpips-vgg16.*w\.pth"):
        protocols(offer)
