from __future__ import annotations

import pytest
import torch

from harness.data.stream import as_float
from harness.errors import UnknownName
from harness.evaluation.quantise import quantised


def test_every_stored_value_survives_the_way_to_float_and_back() -> None:
    stored = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(quantised(as_float(stored), "round"), stored)


def test_values_between_two_levels_go_to_the_nearer_one_and_those_outside_are_clamped() -> None:
    images = torch.tensor([-7.0, 10.4 / 127.5 - 1, 10.6 / 127.5 - 1, 1.2])
    assert quantised(images, "round").tolist() == [0, 10, 11, 255]


def test_stored_images_pass_through() -> None:
    stored = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    assert quantised(stored, "round") is stored


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'round'"):
        quantised(torch.zeros(1), "rounds")
