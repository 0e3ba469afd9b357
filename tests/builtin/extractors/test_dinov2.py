from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, gelu, layer_norm, linear

from harness.builtin.extractors.dinov2 import load, normalised, positions
from harness.builtin.extractors.resizing import pil_bicubic_uint8
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.extractor import check_takes_floats

CPU = torch.device("cpu")

#: the smallest of the family, which has the layout of all
SMALL, WIDTH, DEPTH, HEADS = "vit_small_patch14_dinov2", 384, 12, 6


def random_state(generator: torch.Generator) -> dict[str, Tensor]:
    """Weights by the names that the published file has."""

    def draw(*shape: int, scale: float = 0.05) -> Tensor:
        return torch.randn(shape, generator=generator) * scale

    state = {
        "cls_token": draw(1, 1, WIDTH),
        "pos_embed": draw(1, 1 + 37 * 37, WIDTH, scale=0.5),
        "mask_token": draw(1, WIDTH),
        "patch_embed.proj.weight": draw(WIDTH, 3, 14, 14),
        "patch_embed.proj.bias": draw(WIDTH),
        "norm.weight": 1 + draw(WIDTH),
        "norm.bias": draw(WIDTH),
    }
    linears = {"attn.qkv": (3 * WIDTH, WIDTH), "attn.proj": (WIDTH, WIDTH)}
    linears |= {"mlp.fc1": (4 * WIDTH, WIDTH), "mlp.fc2": (WIDTH, 4 * WIDTH)}
    for n in range(DEPTH):
        for name, shape in linears.items():
            state |= {f"blocks.{n}.{name}.weight": draw(*shape), f"blocks.{n}.{name}.bias": draw(shape[0])}
        for name in ("norm1", "norm2"):
            state |= {f"blocks.{n}.{name}.weight": 1 + draw(WIDTH), f"blocks.{n}.{name}.bias": draw(WIDTH)}
        state |= {f"blocks.{n}.ls{i}.gamma": draw(WIDTH, scale=0.5) for i in (1, 2)}
    return state


def class_token(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """The network by its formulas, in float64: images [N, 3, 224, 224] to [N, 384]."""
    s = {name: value.double() for name, value in state.items()}

    def norm(x: Tensor, name: str) -> Tensor:
        return layer_norm(x, (WIDTH,), s[f"{name}.weight"], s[f"{name}.bias"], eps=1e-6)

    def dense(x: Tensor, name: str) -> Tensor:
        return linear(x, s[f"{name}.weight"], s[f"{name}.bias"])

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)

    patches = conv2d(images.double(), s["patch_embed.proj.weight"], s["patch_embed.proj.bias"], stride=14)
    x = torch.cat([s["cls_token"].expand(len(images), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
    x = x + torch.cat([s["pos_embed"][:, :1], looked_up(s["pos_embed"][:, 1:])], dim=1)
    for n in range(DEPTH):
        block = f"blocks.{n}"
        q, k, v = (heads(part) for part in dense(norm(x, f"{block}.norm1"), f"{block}.attn.qkv").chunk(3, dim=-1))
        attended = ((q @ k.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5).softmax(-1) @ v).transpose(1, 2).flatten(2)
        x = x + s[f"{block}.ls1.gamma"] * dense(attended, f"{block}.attn.proj")
        hidden = gelu(dense(norm(x, f"{block}.norm2"), f"{block}.mlp.fc1"))
        x = x + s[f"{block}.ls2.gamma"] * dense(hidden, f"{block}.mlp.fc2")
    return norm(x, "norm")[:, 0]


def looked_up(grid: Tensor, side: int = 16) -> Tensor:
    """[1, 37 * 37, D] at side x side points by cubic convolution with a = -0.75, the scale being (side + 0.1) / 37."""
    old = int(grid.shape[1] ** 0.5)
    points = (np.arange(side) + 0.5) * old / (side + 0.1) - 0.5
    weights = np.zeros((side, old))
    for row, point in enumerate(points):
        for tap in range(int(np.floor(point)) - 1, int(np.floor(point)) + 3):
            weights[row, min(max(tap, 0), old - 1)] += cubic(abs(point - tap))
    matrix = torch.from_numpy(weights)
    square = grid.double().reshape(old, old, -1)
    return torch.einsum("ai,bj,ijd->abd", matrix, matrix, square).flatten(0, 1)[None]


def cubic(t: float, a: float = -0.75) -> float:
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def test_position_embeddings_are_looked_up_where_the_authors_code_does() -> None:
    embedding = torch.randn(1, 1 + 37 * 37, 5, generator=torch.Generator().manual_seed(0))
    found = positions(embedding, 16)
    assert found.shape == (1, 257, 5)
    assert torch.equal(found[:, 0], embedding[:, 0])
    assert torch.allclose(found[:, 1:].double(), looked_up(embedding[:, 1:]), atol=1e-5)


def test_pixels_are_normalised_by_the_mean_and_deviation_of_imagenet() -> None:
    white = normalised(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)).flatten()
    assert torch.allclose(white, torch.tensor([0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225]))


def test_features_are_the_class_token_by_the_formulas(tmp_path: Path, colour: Tensor, grey: Tensor) -> None:
    pytest.importorskip("timm", reason="the extra 'dinov2' is not installed")
    state = random_state(torch.Generator().manual_seed(0))
    torch.save(state, tmp_path / "dinov2.pth")
    extractor = load(tmp_path / "dinov2.pth", CPU, SMALL)
    with pytest.raises(EvaluationError, match="takes images of 8 bits only"):  # PIL rounds twice while it resizes
        check_takes_floats(extractor, extractor.name)
    assert (extractor.outputs, extractor.resize, extractor.batch) == (("features",), "pil-bicubic-uint8", 16)
    found = extractor(colour)["features"]
    expected = class_token(state, normalised(pil_bicubic_uint8(colour, 224)))
    assert found.shape == (4, WIDTH)
    assert torch.allclose(found.double(), expected, rtol=1e-3, atol=1e-3)
    assert float(found.std(0).mean()) > 1e-2
    assert torch.equal(extractor(grey)["features"], extractor(grey.repeat(1, 3, 1, 1))["features"])


def test_weights_of_another_network_are_refused_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("timm", reason="the extra 'dinov2' is not installed")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "dinov2.pth")
    with pytest.raises(EvaluationError, match="weights of extractor 'dinov2' at .* do not fit") as caught:
        load(tmp_path / "dinov2.pth", CPU, SMALL)
    assert "\n" not in str(caught.value)


def test_without_its_package_the_network_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModuleNotFoundError):  # which the opening of an extractor turns into what to install
        load(tmp_path / "dinov2.pth", CPU)
