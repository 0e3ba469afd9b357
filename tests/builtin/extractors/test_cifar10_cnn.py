from __future__ import annotations

from pathlib import Path

import pytest
import torch
from floats import assert_floats_are_seen
from torch import Tensor
from torch.nn.functional import batch_norm, conv2d, max_pool2d

from harness.builtin.extractors.cifar10_cnn import Cifar10Cnn, Cifar10Extractor, load, signed_range
from harness.errors import EvaluationError

CPU = torch.device("cpu")


@pytest.fixture
def network() -> Cifar10Cnn:
    """A narrow one, whose batch norms have seen something."""
    torch.manual_seed(0)
    network = Cifar10Cnn(width=4)
    for _ in range(3):
        network(torch.randn(16, 3, 32, 32))
    return network


def images(count: int = 6) -> Tensor:
    """uint8 [count, 3, 32, 32] of different colours and contrasts."""
    draw = torch.Generator().manual_seed(count)
    middle, spread = (torch.rand(count, 3, 1, 1, generator=draw) * most for most in (255, 90))
    return (middle + spread * torch.randn(count, 3, 32, 32, generator=draw)).clamp(0, 255).to(torch.uint8)


def by_formulas(state: dict[str, Tensor], shown: Tensor) -> tuple[Tensor, Tensor]:
    """Features and logits of images [N, 3, 32, 32] in [-1, 1], from the weights by their names, in float64."""
    s = {name: value.double() for name, value in state.items()}

    def layer(x: Tensor, name: str) -> Tensor:
        y = conv2d(x, s[f"{name}.0.weight"], padding=1)
        norm = (f"{name}.1.{part}" for part in ("running_mean", "running_var", "weight", "bias"))
        return batch_norm(y, *(s[part] for part in norm)).relu()

    x = max_pool2d(layer(layer(shown.double(), "first"), "second"), 2)
    x = x + layer(layer(x, "second_residual.body.0"), "second_residual.body.1")
    x = max_pool2d(layer(max_pool2d(layer(x, "third"), 2), "fourth"), 2)
    x = x + layer(layer(x, "fourth_residual.body.0"), "fourth_residual.body.1")
    features = x.amax((2, 3))
    return features, features @ s["to_logits.weight"].T / 8


def test_outputs_are_those_of_the_formulas_on_signed_pixels_in_eval_mode(network: Cifar10Cnn) -> None:
    assert network.training
    extractor = Cifar10Extractor(network, CPU)
    found = extractor(images())
    assert extractor.outputs == tuple(found) == ("features", "logits")
    features, logits = by_formulas(network.state_dict(), images().double() / 255 * 2 - 1)
    assert (found["features"].shape, found["logits"].shape) == ((6, 32), (6, 10))
    assert torch.allclose(found["features"].double(), features, rtol=1e-4, atol=1e-5)
    assert torch.allclose(found["logits"].double(), logits, rtol=1e-4, atol=1e-5)
    assert float(logits.std(0).mean()) > 1e-3  # images differ, and so the comparison tells something


def test_pixels_are_shown_from_minus_one_to_one() -> None:
    assert signed_range(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == pytest.approx([-1.0, -0.6, 1.0])


def test_the_published_shape_has_six_and_a_half_million_parameters_and_is_built_without_values() -> None:
    with torch.device("meta"):
        network = Cifar10Cnn()
    assert sum(parameter.numel() for parameter in network.parameters()) == 6_573_120
    assert network.to_logits.in_features == 512


def test_saved_weights_give_the_same_logits_whatever_their_width(network: Cifar10Cnn, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "net.pt")
    expected = Cifar10Extractor(network, CPU)(images())["logits"]
    assert torch.equal(load(tmp_path / "net.pt", CPU)(images())["logits"], expected)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 28, 28), (3, 32, 64), (2,)])
def test_other_shapes_are_refused(network: Cifar10Cnn, shape: tuple[int, ...]) -> None:
    given = "x".join(map(str, shape))
    with pytest.raises(EvaluationError, match=f"'cifar10-cnn' takes 3x32x32 images, not {given}; name another"):
        Cifar10Extractor(network, CPU).check(shape)


def test_weights_that_are_no_state_of_this_network_are_refused_in_one_line(network: Cifar10Cnn, tmp_path: Path) -> None:
    torch.save(network.state_dict() | {"more": torch.zeros(1)}, tmp_path / "more.pt")
    torch.save({"other": torch.zeros(1)}, tmp_path / "other.pt")
    (tmp_path / "torn.pt").write_bytes(b"PK\x03\x04 torn")
    for file in ("more.pt", "other.pt", "torn.pt"):
        with pytest.raises(EvaluationError, match="weights of extractor 'cifar10-cnn' at .* do not fit") as caught:
            load(tmp_path / file, CPU)
        assert "\n" not in str(caught.value)


def test_floats_are_seen_as_they_are(network: Cifar10Cnn) -> None:
    assert_floats_are_seen(Cifar10Extractor(network, CPU), images())
