"""What the losses' registry promises is there."""

from __future__ import annotations

import pytest
import torch

from harness.builtin.losses.registry import SPECS
from harness.contracts.specs import LossSpec, PenaltySpec
from harness.plugins import import_module

LOSSES = [spec for spec in SPECS if isinstance(spec, LossSpec)]
PENALTIES = [spec for spec in SPECS if isinstance(spec, PenaltySpec)]


def test_the_names_are_those_of_the_field():
    assert [spec.name for spec in LOSSES] == ["hinge", "nsgan", "wgan", "lsgan"]
    assert [spec.name for spec in PENALTIES] == ["r1", "r2", "gp"]


@pytest.mark.parametrize("spec", LOSSES, ids=lambda spec: spec.name)
def test_every_loss_is_a_pair_of_scalar_functions_of_logits(spec):
    logits = torch.tensor([0.3, -0.4])
    assert import_module(spec.discriminator)(logits, -logits).shape == ()
    assert import_module(spec.generator)(logits).shape == ()


@pytest.mark.parametrize("spec", PENALTIES, ids=lambda spec: spec.name)
def test_every_penalty_is_a_scalar_function_of_critic_real_and_fake(spec):
    value = import_module(spec.penalty)(lambda x: x.square().sum(1), torch.ones(3, 2), torch.zeros(3, 2))
    assert value.shape == ()
    assert value >= 0
