from __future__ import annotations

from typing import get_args

import pytest
import torch

from harness.contracts.settings import EvaluationSettings
from harness.contracts.stream import as_float
from harness.errors import UnknownName
from harness.evaluation.sampling.quantise import QUANTISERS, SHOWN, quantised


def test_every_stored_value_survives_the_way_to_float_and_back() -> None:
    stored = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(quantised(as_float(stored), "round"), stored)


def test_values_between_two_levels_go_to_the_nearer_one_and_those_outside_are_clamped() -> None:
    images = torch.tensor([-7.0, 10.4 / 127.5 - 1, 10.6 / 127.5 - 1, 1.2])
    assert quantised(images, "round").tolist() == [0, 10, 11, 255]


def test_unrounded_images_keep_what_lies_between_two_levels_and_are_clamped() -> None:
    images = torch.tensor([-7.0, -1.0, 10.4 / 127.5 - 1, 0.0, 1.0, 1.2])
    found = quantised(images, "none")
    assert found.dtype == torch.float32
    assert found.tolist() == pytest.approx([0.0, 0.0, 10.4, 127.5, 255.0, 255.0], abs=1e-4)


def test_unrounded_images_on_the_levels_are_the_stored_ones() -> None:
    stored = torch.arange(256, dtype=torch.uint8)
    assert torch.allclose(quantised(as_float(stored), "none"), stored.float(), rtol=0, atol=2e-5)


def test_half_precision_is_widened_before_anything_is_added() -> None:
    image = torch.tensor([0.3], dtype=torch.bfloat16)
    assert torch.equal(quantised(image, "none"), quantised(image.float(), "none"))


def test_every_rule_is_a_setting_and_has_a_name_of_its_own_in_ids() -> None:
    (choices,) = [get_args(EvaluationSettings.model_fields["quantise"].annotation)]
    assert set(QUANTISERS) == set(SHOWN) == set(choices)
    assert len(set(SHOWN.values())) == len(SHOWN)


@pytest.mark.parametrize("rule", QUANTISERS)
def test_stored_images_pass_through_every_rule(rule: str) -> None:
    stored = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    assert quantised(stored, rule) is stored


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'round'"):
        quantised(torch.zeros(1), "rounds")
