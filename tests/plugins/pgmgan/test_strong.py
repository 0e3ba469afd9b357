"""The list of strong operations: which are drawn, and that each image gets its own."""

from __future__ import annotations

import pytest
import torch
from harness_pgmgan import strong
from harness_pgmgan.strong import OPERATIONS, Operation, randomly_changed
from torch import Tensor

from harness.training.batch_draws import BatchDraws

DRAWS = BatchDraws(torch.device("cpu"))


def draw(n: int = 28, channels: int = 3) -> Tensor:
    return torch.rand(n, channels, 16, 16, generator=torch.Generator().manual_seed(0))


def test_the_list_is_that_of_scan() -> None:
    assert len(OPERATIONS) == 14
    assert {name: (o.low, o.high) for name, o in OPERATIONS.items() if o.high < 1} == {
        "color": (0.05, 0.95),
        "contrast": (0.05, 0.95),
        "brightness": (0.05, 0.95),
        "sharpness": (0.05, 0.95),
        "shear_x": (-0.1, 0.1),
        "shear_y": (-0.1, 0.1),
        "translate_x": (-0.1, 0.1),
        "translate_y": (-0.1, 0.1),
    }
    assert (OPERATIONS["rotate"].low, OPERATIONS["rotate"].high) == (-30.0, 30.0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_every_operation_keeps_shape_and_range_and_all_but_identity_change_something(name: str, channels: int) -> None:
    images, operation = draw(channels=channels), OPERATIONS[name]
    amount = torch.linspace(operation.low, operation.high, len(images))
    found = operation.apply(images, amount)
    assert found.shape == images.shape
    assert ((found >= 0) & (found <= 1)).all()
    stays = name == "identity" or (name == "color" and channels == 1)
    assert torch.allclose(found, images, atol=1e-6, rtol=0) == stays


@pytest.mark.parametrize("name", ["translate_x", "translate_y"])
def test_shifts_are_shares_of_the_side(name: str) -> None:
    found = OPERATIONS[name].apply(torch.ones(1, 1, 20, 20), torch.tensor([0.1]))
    black = (found[0, 0] == 0).sum(0 if name == "translate_y" else 1)
    assert (black == 2).all()


def test_posterise_keeps_four_to_seven_bits() -> None:
    ramp = (torch.arange(256) / 255.0).view(1, 1, 16, 16).repeat(2, 1, 1, 1)
    found = OPERATIONS["posterize"].apply(ramp, torch.tensor([4.0, 7.999]))
    assert [len(image.unique()) for image in found] == [16, 128]


def test_each_image_gets_operations_and_amounts_of_its_own_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    # operations that leave their mark: 1,000, 10,000 or 100,000 for which one it was, plus the amount
    marks = {str(kind): Operation(lambda x, v, kind=kind: x + 1000 * 10**kind + v[:, None], 0, 1) for kind in range(3)}
    monkeypatch.setattr(strong, "OPERATIONS", marks)
    torch.manual_seed(0)
    n = 6000
    index = torch.arange(n, dtype=torch.float64)[:, None] * 1e-12
    found = randomly_changed(index, 1, DRAWS)[:, 0]
    kind = found.div(1000).log10().round().long()
    assert kind.bincount().tolist() == pytest.approx([n / 3] * 3, abs=5 * (n * 2 / 9) ** 0.5)
    amount = found - 1000 * 10.0**kind
    assert ((amount >= 0) & (amount <= 1.001)).all()
    assert len(amount.unique()) > 0.99 * n
    one_or_none = {"one": Operation(lambda x, _: x + 1, 0, 1), "none": Operation(lambda x, _: x, 0, 1)}
    monkeypatch.setattr(strong, "OPERATIONS", one_or_none)
    counted = randomly_changed(torch.arange(n)[:, None] * 10, 4, DRAWS)[:, 0]
    assert torch.equal(counted // 10, torch.arange(n))  # back in their places
    hits = (counted % 10).bincount(minlength=5).double() / n
    torch.testing.assert_close(hits, torch.tensor([1, 4, 6, 4, 1], dtype=torch.float64) / 16, atol=0.03, rtol=0)


def test_no_round_changes_nothing() -> None:
    images = draw()
    assert torch.equal(randomly_changed(images, 0, DRAWS), images)
