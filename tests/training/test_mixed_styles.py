"""Style mixing: some layers of a whole batch get the styles of other latents, as often as the generator says."""

from __future__ import annotations

import pytest
import torch
from styled_backbone import LAYERS, StyledSettings, StyledToy, build

from harness import mixed_styles
from harness.catalog import Catalog
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime


def generator(style_mixing: float) -> StyledToy:
    made = build(StyledSettings(style_mixing=style_mixing), (1, 8, 8)).generator(conditions=2)
    assert isinstance(made, StyledToy)
    return made


@pytest.fixture
def ctx(catalog: Catalog) -> RunContext:
    return RunContext(catalog, Runtime(torch.device("cpu")), 0)


TOLD = torch.tensor([0, 1, 1, 0])


def test_without_mixing_all_layers_have_the_same_styles_and_nothing_is_drawn(ctx: RunContext) -> None:
    made, z = generator(0.0), torch.randn(4, 6)
    before = torch.get_rng_state()
    styles = mixed_styles(made, z, TOLD, ctx)
    assert torch.equal(styles, made.styles(z, TOLD)[:, None].expand(-1, LAYERS, -1))
    assert torch.equal(torch.get_rng_state(), before)


def test_from_a_random_layer_on_styles_are_those_of_fresh_latents_under_the_same_conditions(ctx: RunContext) -> None:
    made, z = generator(1.0), torch.randn(4, 6)
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        styles = mixed_styles(made, z, TOLD, ctx)
        torch.manual_seed(seed)
        torch.rand(()), torch.rand(())
        own, other = made.styles(z, TOLD), made.styles(torch.randn(4, 6), TOLD)
        first = next(layer for layer in range(LAYERS) if not torch.equal(styles[:, layer], own))
        seen.add(first)
        for layer in range(LAYERS):
            assert torch.equal(styles[:, layer], own if layer < first else other)
    assert seen == set(range(1, LAYERS))


def test_it_mixes_as_often_as_the_generator_says_and_always_draws_as_much(ctx: RunContext) -> None:
    made, z = generator(0.3), torch.randn(4, 6)
    own, mixed, states = made.styles(z, TOLD), 0, []
    for seed in range(300):
        torch.manual_seed(seed)
        mixed += not torch.equal(mixed_styles(made, z, TOLD, ctx)[:, -1], own)
        if seed < 20:
            states.append(torch.get_rng_state())
            torch.manual_seed(seed)
            torch.rand(()), torch.rand(()), torch.randn(4, 6)
            assert torch.equal(torch.get_rng_state(), states[-1])
    assert abs(mixed - 90) < 4 * (300 * 0.3 * 0.7) ** 0.5
