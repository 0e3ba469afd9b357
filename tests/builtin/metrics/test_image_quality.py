from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from harness.builtin.metrics.image_quality import (
    PeakSignalToNoise,
    StructuralSimilarity,
    mean_score,
    psnr_of_pair,
    ssim_of_pair,
)
from harness.catalog import Catalog
from harness.contracts.capabilities import Reconstructions, Samples
from harness.contracts.settings import EvaluationSettings
from harness.data import load_dataset
from harness.data.fit import fitted_shape
from harness.errors import EvaluationError
from harness.evaluation import Bench, Inapplicable, MetricContext, Pair
from harness.randomness import Seeds


def images(n: int, seed: int, channels: int = 3) -> Tensor:
    return 2 * torch.rand(n, channels, 16, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1


def pair(a: Tensor, b: Tensor) -> Pair:
    return Pair(a, b, None, torch.zeros(len(a), 1))


@pytest.mark.parametrize("channels", [1, 3])
def test_psnr_agrees_with_scikit_image(channels: int) -> None:
    a = images(4, 0, channels)
    b = (a + 0.3 * images(4, 1, channels)).clamp(-1, 1)
    expected = [peak_signal_noise_ratio(x.numpy(), y.numpy(), data_range=2.0) for x, y in zip(a, b, strict=True)]
    assert psnr_of_pair(pair(a, b)).tolist() == pytest.approx(expected, rel=1e-12)


def test_an_error_of_a_tenth_of_the_range_is_twenty_decibels() -> None:
    a = torch.zeros(2, 1, 16, 16)
    assert psnr_of_pair(pair(a, a + 0.2)).tolist() == pytest.approx([20.0, 20.0])


def test_ssim_is_over_a_range_of_two() -> None:
    a, b = torch.zeros(1, 1, 16, 16), torch.full((1, 1, 16, 16), 0.1)
    assert float(ssim_of_pair(pair(a, b))) == pytest.approx(0.02**2 / (0.01 + 0.02**2))


def test_the_mean_is_over_images_with_its_standard_error() -> None:
    scores = torch.tensor([[1.0, 20.0], [2.0, 22.0], [6.0, 30.0]], dtype=torch.float64)
    found = mean_score("psnr", 1, rebuilt=scores)["psnr"]
    assert found.value == pytest.approx(24.0)
    assert found.std_error == pytest.approx(np.std([20, 22, 30], ddof=1) / 3**0.5)
    assert found.std_error_of == "sampling"
    assert found.remark is None


def test_images_rebuilt_to_the_last_bit_are_counted_and_left_out() -> None:
    a = images(3, 0)
    b = a.clone()
    b[0] += 0.2
    found = mean_score("psnr", 0, rebuilt=psnr_of_pair(pair(a, b))[:, None])["psnr"]
    assert found.value == pytest.approx(20.0)
    assert found.remark == "2 of 3 images are rebuilt to the last bit and left out"
    with pytest.raises(EvaluationError, match="all of 3 images are rebuilt to the last bit"):
        mean_score("psnr", 0, rebuilt=psnr_of_pair(pair(a, a))[:, None])


def test_nan_is_refused_and_not_left_out() -> None:
    with pytest.raises(EvaluationError, match="psnr: reconstructions of 1 images hold NaN"):
        mean_score("psnr", 0, rebuilt=torch.tensor([[20.0], [float("nan")]]))


class Dimmer:
    """Rebuilds images a little darker, and counts how many it was shown.

    :ivar shown: images handed over, those that fill up a batch included.
    """

    networks: dict[str, Any] = {}  # noqa: RUF012
    subject: dict[str, str] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.shown = 0

    def reconstruct(self, images: Tensor) -> Reconstructions:
        self.shown += len(images)
        return Reconstructions(0.9 * images, images.flatten(1))


class SamplingDimmer(Dimmer):
    """Samples flat grey images, too."""

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        grey = seeds.uniform("grey", 1, 1, 1)
        return Samples(grey.expand(-1, 1, 16, 16), None, grey.flatten(1))


def offer_of(catalog: Catalog, trained: Any, side: int) -> tuple[Bench, MetricContext]:
    dataset = load_dataset(catalog, "digits", Path("unused"))
    if side != 8:
        dataset.fit = fitted_shape((1, 8, 8), "resize", [side], "digits")
    bench = Bench(trained, dataset, catalog, 0, "cpu")
    return bench, MetricContext(bench, EvaluationSettings(samples=40, block=20))


def test_real_and_generated_images_are_told_apart_in_the_protocol(catalog: Catalog) -> None:
    _, offer = offer_of(catalog, SamplingDimmer(), 16)
    ids = [
        protocol.id
        for metric in (PeakSignalToNoise(), StructuralSimilarity())
        for measurement in metric.measurements(offer)
        for protocol in measurement.protocols.values()
    ]
    pixels = "range2,float,clipped,per-image"
    window = "gauss11s1.5,k0.01/0.03,valid"
    assert ids == [
        f"psnr[resize16,test,360,real,{pixels}]",
        f"psnr[resize16,40,generated,{pixels},block20,bn-eval]",
        f"ssim[resize16,test,360,real,{window},{pixels}]",
        f"ssim[resize16,40,generated,{window},{pixels},block20,bn-eval]",
    ]


def test_a_method_that_does_not_sample_is_measured_on_real_images(catalog: Catalog) -> None:
    _, offer = offer_of(catalog, Dimmer(), 16)
    (measurement,) = PeakSignalToNoise().measurements(offer)
    assert measurement.counts() == {"rebuilt": 360}


def test_both_numbers_come_from_one_pass_and_have_their_own_columns(catalog: Catalog) -> None:
    trained = SamplingDimmer()
    bench, offer = offer_of(catalog, trained, 16)
    measurements = [*PeakSignalToNoise().measurements(offer), *StructuralSimilarity().measurements(offer)]
    bench.expect(request for each in measurements for request in each.evidence.values())
    found = [
        value
        for each in measurements
        for value in each.compute(**{role: bench.get(request) for role, request in each.evidence.items()}).values()
    ]
    assert trained.shown == 500 + 40
    real = torch.from_numpy(bench.dataset.finite("test").values).double() / 127.5 - 1
    psnr = 10 * torch.log10(4.0 / (0.1 * real).square().mean((1, 2, 3)))
    assert found[0].value == pytest.approx(float(psnr.mean()), abs=1e-4)  # type: ignore[union-attr]
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 2.0}
    grey = real[:, 0].float().double().numpy()
    ssim = [structural_similarity(image, 0.9 * image, **how) for image in grey]
    assert found[2].value == pytest.approx(np.mean(ssim), abs=1e-6)  # type: ignore[union-attr]


def test_small_images_have_no_ssim_and_still_a_psnr(catalog: Catalog) -> None:
    bench, offer = offer_of(catalog, Dimmer(), 8)
    with pytest.raises(Inapplicable, match="images of 8x8 pixels are smaller than the window of 11 pixels"):
        StructuralSimilarity().measurements(offer)
    (measurement,) = PeakSignalToNoise().measurements(offer)
    value = measurement.compute(rebuilt=bench.get(measurement.evidence["rebuilt"]))["psnr"]
    assert 20 < value.value < 40  # type: ignore[union-attr]
