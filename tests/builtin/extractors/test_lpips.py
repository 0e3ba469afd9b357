from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch_fidelity.sample_similarity_lpips as theirs
from torch import Tensor
from torchvision.models.vgg import cfgs, make_layers

from harness.builtin.extractors.lpips import LAYERS, TRUNK, Lpips, load
from harness.errors import EvaluationError

CPU = torch.device("cpu")

#: channels of the five layers that are compared
CHANNELS = (64, 128, 256, 512, 512)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under the published names, without the network's classifier, which is not used."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("lpips")
    layers = make_layers(cfgs["D"], batch_norm=False)
    for layer in layers:
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    unused = {"classifier.0.weight": torch.zeros(2, 2)}
    torch.save({f"features.{k}": v for k, v in layers.state_dict().items()} | unused, folder / TRUNK)
    weights = {f"lin{n}.model.1.weight": torch.rand(1, channels, 1, 1) for n, channels in enumerate(CHANNELS)}
    torch.save(weights, folder / LAYERS)
    return folder


@pytest.fixture(scope="module")
def lpips(folder: Path) -> Lpips:
    return load(folder, CPU)


def pair(side: int = 32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(side)
    a = torch.rand(3, 3, side, side, generator=generator) * 2 - 1
    return a, (a + 0.3 * torch.randn(a.shape, generator=generator)).clamp(-1, 1)


def test_distances_are_those_of_torch_fidelity(lpips: Lpips, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk = make_layers(cfgs["D"], batch_norm=False)
    state = torch.load(folder / TRUNK, weights_only=True)
    trunk.load_state_dict({k.removeprefix("features."): v for k, v in state.items() if k.startswith("features.")})
    layers = torch.load(folder / LAYERS, weights_only=True)
    monkeypatch.setattr(theirs, "torchvision_load_pretrained_vgg16", lambda: SimpleNamespace(features=trunk))
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *_, **__: layers)
    module = theirs.SampleSimilarityLPIPS("theirs")
    a, b = pair()
    expected = module((a + 1) * 127.5, (b + 1) * 127.5)
    found = lpips.distance(a, b)
    assert found.shape == (3,)
    assert float(expected.min()) > 1e-2
    assert torch.allclose(found, expected, rtol=1e-4)


def test_the_formula_of_the_paper_gives_the_same(lpips: Lpips, folder: Path) -> None:
    trunk, layers = (torch.load(folder / name, weights_only=True) for name in (TRUNK, LAYERS))
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])

    def activations(images: Tensor) -> list[Tensor]:
        x = (images.double() - shift[:, None, None]) / scale[:, None, None]
        seen = []
        for number, layer in enumerate(make_layers(cfgs["D"], batch_norm=False)):
            if isinstance(layer, torch.nn.Conv2d):
                weight, bias = (trunk[f"features.{number}.{part}"].double() for part in ("weight", "bias"))
                x = torch.nn.functional.conv2d(x, weight, bias, padding=1)
            else:
                x = layer(x) if isinstance(layer, torch.nn.MaxPool2d) else x.relu()
            if number in (3, 8, 15, 22, 29):
                seen.append(x / x.norm(dim=1, keepdim=True).clamp_min(1e-10))
        return seen

    a, b = pair()
    sides = zip(activations(a), activations(b), strict=True)
    parts = [
        (layers[f"lin{n}.model.1.weight"].double() * (left - right) ** 2).sum(1).mean((1, 2))
        for n, (left, right) in enumerate(sides)
    ]
    assert torch.allclose(lpips.distance(a, b).double(), torch.stack(parts).sum(0), rtol=1e-4)


def test_an_image_is_at_no_distance_from_itself_and_the_order_is_the_same(lpips: Lpips) -> None:
    a, b = pair()
    assert torch.equal(lpips.distance(a, a), torch.zeros(3))
    assert torch.allclose(lpips.distance(a, b), lpips.distance(b, a))
    nearer = a + 0.3 * (b - a)
    assert bool((lpips.distance(a, nearer) < lpips.distance(a, b)).all())


def test_a_pair_has_the_same_distance_whatever_stands_beside_it(lpips: Lpips) -> None:
    a, b = pair()
    alone = torch.cat([lpips.distance(x[None], y[None]) for x, y in zip(a, b, strict=True)])
    assert torch.allclose(lpips.distance(a, b), alone, rtol=1e-4)


def test_the_smallest_image_is_taken_and_smaller_ones_are_refused(lpips: Lpips) -> None:
    assert bool((lpips.distance(*pair(16)) > 0).all())
    with pytest.raises(EvaluationError, match="at least 16 pixels a side, not 3x15x15"):
        lpips.distance(*pair(15))


@pytest.mark.parametrize(
    "sides",
    [
        (torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)),
        (torch.zeros(1, 3, 32, 32), torch.zeros(2, 3, 32, 32)),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), torch.zeros(1, 3, 32, 32, dtype=torch.uint8)),
    ],
)
def test_what_cannot_be_compared_is_refused(lpips: Lpips, sides: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(EvaluationError, match="compares floating point images of 3 channels and one shape, not"):
        lpips.distance(*sides)


def test_a_distance_is_no_feature_network(lpips: Lpips) -> None:
    assert lpips.outputs == ("distance",)
    with pytest.raises(EvaluationError, match="'lpips-vgg16' is a distance of two images and has no features"):
        lpips(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))


def test_weights_of_another_network_are_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / TRUNK).write_bytes((folder / TRUNK).read_bytes())
    torch.save({"lin0.model.1.weight": torch.zeros(1, 64, 1, 1)}, tmp_path / LAYERS)
    with pytest.raises(EvaluationError, match="weights of extractor 'lpips-vgg16' at .* do not fit") as caught:
        load(tmp_path, CPU)
    assert "\n" not in str(caught.value)
