"""The linear head, what it says of the condition, and extra heads."""

from __future__ import annotations

import pytest
import torch

from harness.layers.equalised import EqualLinear
from harness.layers.heads import Heads

FEATURE = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
CONDITION = torch.tensor([0, 2, 2, 1])


def test_the_logit_is_the_linear_head_plus_the_projection():
    heads = Heads(6, conditions=3, outputs=1, extra={}, eps=None)
    critique = heads(FEATURE, CONDITION)
    expected = torch.stack([heads.projection.weight[c] @ f for f, c in zip(FEATURE, CONDITION, strict=True)])
    torch.testing.assert_close(critique.class_term, expected)
    torch.testing.assert_close(critique.logit, FEATURE @ heads.linear.weight[0] + heads.linear.bias + expected)
    assert critique.feature is FEATURE


def test_a_biased_projection_adds_the_row_and_the_bias_of_the_condition():
    heads = Heads(6, conditions=3, outputs=1, extra={}, eps=None, conditioning="biased_projection")
    critique = heads(FEATURE, CONDITION)
    rows = heads.rows.linear
    expected = torch.stack([rows.weight[c] @ f + rows.bias[c] for f, c in zip(FEATURE, CONDITION, strict=True)])
    torch.testing.assert_close(critique.class_term, expected)
    torch.testing.assert_close(critique.logit, FEATURE @ heads.linear.weight[0] + heads.linear.bias + expected)


def test_rows_are_one_logit_a_condition_of_which_one_is_picked():
    heads = Heads(6, conditions=3, outputs=1, extra={}, eps=None, conditioning="rows")
    critique = heads(FEATURE, CONDITION)
    every = FEATURE @ heads.rows.linear.weight.T + heads.rows.linear.bias  # [N, conditions]
    torch.testing.assert_close(critique.logit, every[range(4), CONDITION])
    assert torch.equal(critique.class_term, critique.logit)
    assert {name for name, _ in heads.named_parameters()} == {"rows.linear.weight", "rows.linear.bias"}


@pytest.mark.parametrize("conditioning", ["projection", "biased_projection", "rows"])
def test_without_conditions_the_ways_of_telling_them_are_the_same(conditioning):
    heads = Heads(6, 0, 1, {}, None, conditioning)
    assert {name for name, _ in heads.named_parameters()} == {"linear.weight", "linear.bias"}
    assert heads(FEATURE, None).class_term is None
    assert Heads(6, 0, 5, {}, None, conditioning)(FEATURE, None).logit.shape == (4, 5)


def test_rows_without_outputs_are_a_class_term_and_no_logit():
    critique = Heads(6, 3, 0, {}, None, "rows")(FEATURE, CONDITION)
    assert critique.logit is None
    assert critique.class_term.shape == (4,)


def test_many_outputs_stay_side_by_side_and_one_output_is_flat():
    assert Heads(6, 0, 5, {}, None)(FEATURE, None).logit.shape == (4, 5)
    critique = Heads(6, 0, 1, {}, None)(FEATURE, None)
    assert critique.logit.shape == (4,)
    assert critique.class_term is None


@pytest.mark.parametrize("outputs", [1, 5])
def test_a_batch_of_one_keeps_its_shape(outputs):
    logit = Heads(6, 0, outputs, {}, None)(FEATURE[:1], None).logit
    assert logit.shape == ((1,) if outputs == 1 else (1, 5))


def test_without_outputs_there_is_no_linear_head_but_the_class_term_stays():
    heads = Heads(6, conditions=3, outputs=0, extra={}, eps=None)
    critique = heads(FEATURE, CONDITION)
    assert critique.logit is None
    assert critique.class_term.shape == (4,)
    assert {name for name, _ in heads.named_parameters()} == {"projection.weight"}


def test_extra_heads_answer_under_their_names():
    heads = Heads(6, 0, 1, {"code": 3, "rotation": 4}, None)(FEATURE, None).heads
    assert {name: tuple(value.shape) for name, value in heads.items()} == {"code": (4, 3), "rotation": (4, 4)}


def test_spectral_norm_is_on_every_head():
    buffers = {name for name, _ in Heads(6, 3, 1, {"code": 3}, 1e-6).named_buffers()}
    assert buffers == {"linear.normalise.u", "projection.normalise.u", "extra.code.normalise.u"}
    buffers = {name for name, _ in Heads(6, 3, 1, {}, 1e-6, "biased_projection").named_buffers()}
    assert buffers == {"linear.normalise.u", "rows.linear.normalise.u"}


def test_heads_are_not_coarsened_by_autocast():
    heads = Heads(6, 3, 1, {"code": 2}, 1e-6).eval()
    plain = heads(FEATURE, CONDITION)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = heads(FEATURE, CONDITION)
    assert torch.equal(inside.logit, plain.logit)
    assert torch.equal(inside.heads["code"], plain.heads["code"])


def test_a_missing_or_unexpected_condition_is_a_mistake():
    with pytest.raises(ValueError, match="one of 3 conditions"):
        Heads(6, 3, 1, {}, None)(FEATURE, None)
    with pytest.raises(ValueError, match="no condition"):
        Heads(6, 0, 1, {}, None)(FEATURE, CONDITION)


def test_linear_maps_may_be_of_another_kind():
    heads = Heads(6, 3, 1, {"code": 2}, None, layer=EqualLinear)
    assert isinstance(heads.linear, EqualLinear)
    assert isinstance(heads.extra["code"], EqualLinear)
    expected = heads.linear(FEATURE).squeeze(1) + (heads.projection(CONDITION) * FEATURE).sum(1)
    torch.testing.assert_close(heads(FEATURE, CONDITION).logit, expected)
