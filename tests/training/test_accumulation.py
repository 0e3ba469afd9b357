"""A batch in parts computes what the whole does, to rounding, and is refused where parts cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from harness_baselines.config import GanSettings
from harness_baselines.method import Gan
from opening import CPU, opened
from styled_backbone import StyledSettings, build as styled
from torch import Tensor, nn

from harness.builtin.models.residual.biggan import build as biggan
from harness.builtin.models.residual.biggan_settings import BigGANSettings
from harness.catalog import Catalog
from harness.data import Problem, Split, Stream, TrainingData
from harness.errors import SettingsError
from harness.experiment import resolve
from harness.layers import NetworkBuilder
from harness.randomness import seed_everything
from harness.training.accumulation import Accumulation
from harness.training.loop import Training
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime
from harness.training.watching import Unwatched

# an eps that rounding cannot reach: where a gradient is 0 but for that, plain Adam would make whole steps of it
ADAMS = {name: {"lr": 1e-3, "eps": 1e-2} for name in ("generator_adam", "discriminator_adam")}

SHAPE, CLASSES = (1, 8, 8), ("a", "b", "c")


def backbone(style_mixing: float) -> NetworkBuilder:
    """A generator with noise and styles and without batch norm, a discriminator with spectral norm."""
    toy, judge = styled(StyledSettings(style_mixing=style_mixing), SHAPE), biggan(BigGANSettings(width=4), SHAPE)
    return NetworkBuilder(6, toy.make_generator, judge.make_discriminator)


def trained(catalog: Catalog, parts: int, style_mixing: float = 0.0, **given: Any) -> list[Tensor]:
    """Everything that three steps change, of a batch taken in so many parts."""
    settings = GanSettings.model_validate({"batch_size": 12, "conditional": True, "d_steps": 2, **ADAMS, **given})
    ctx = RunContext(catalog, Runtime(CPU), 0)
    ctx.accompany(settings.augmentation, settings.regulariser)
    ctx.accumulation = Accumulation(CPU, parts)
    ctx.backbone = lambda choice, shape: backbone(style_mixing)  # type: ignore[method-assign]
    seed_everything(0)
    method = Gan(settings, Problem("made", "images", SHAPE, CLASSES, 60), ctx)
    values = torch.randint(256, (60, *SHAPE), dtype=torch.uint8).numpy()
    data = TrainingData.of(Split(values, (torch.arange(60) % 3).numpy(), CLASSES), CPU)
    stream = Stream(data, 12, (0,), flip=True)
    method.pair.train()
    for ctx.step in range(3):
        seed_everything(0, ctx.step)
        method.step(stream)
    found = [*method.pair.generator.parameters(), *method.pair.discriminator.parameters()]
    found += [*method.pair.discriminator.buffers(), *method.pair.average.module.parameters()]
    found += [value for value in ctx.companions.state().values() for value in tensors(value.state_dict())]
    return [value.detach() for value in found]


def tensors(state: Any) -> list[Tensor]:
    return [value.double() for value in state.values() if isinstance(value, Tensor)]


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "separate": {"passes": "separate"},
    "penalty": {"penalty": {"name": "gp", "weight": 0.1}},
    "own step": {"penalty": {"name": "r1", "every": 2, "own_step": True}, "path_length": {"weight": 2.0, "every": 2}},
    "paired": {"loss": "rpgan"},
    "by class": {"loss": "omni"},
    "ada": {"augmentation": {"name": "ada", "p": 0.6, "interval": 1, "target": 0.0}, "penalty": "r1"},
    "mixing": {"style_mixing": 1.0},
}


@pytest.mark.parametrize(("parts", "case"), [(3, case) for case in CASES] + [(2, "plain")])
def test_parts_compute_what_the_whole_does(catalog: Catalog, parts: int, case: str) -> None:
    whole, divided = trained(catalog, 1, **CASES[case]), trained(catalog, parts, **CASES[case])
    for one, other in zip(whole, divided, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)


def test_optimisers_step_once_with_the_mean_of_the_parts(catalog: Catalog) -> None:
    ctx = RunContext(catalog, Runtime(CPU), 0)
    ctx.accumulation = Accumulation(CPU, 2)
    w = nn.ParameterList([torch.tensor(1.0)])
    adam = torch.optim.SGD(w.parameters(), 1.0)
    seen = []
    for (x,) in ctx.parts(torch.tensor([1.0, 2.0, 3.0, 4.0])):
        ctx.minimize(w=(w[0] * x.mean(), adam))
        seen.append(float(w[0]))
    assert seen == [1.0, 1.0 - 2.5]
    ctx.minimize(w=(w[0] * 1.0, adam))  # behind the loop nothing is kept back
    assert float(w[0]) == -2.5


def test_draws_of_parts_are_the_rows_of_the_whole(catalog: Catalog) -> None:
    ctx = RunContext(catalog, Runtime(CPU), 0)
    torch.manual_seed(0)
    with ctx.joined(2):
        whole = ctx.normal(12, 2), ctx.common(), ctx.order(5)
    after = torch.rand(3)
    ctx.accumulation = Accumulation(CPU, 3)
    torch.manual_seed(0)
    parts, rows = [], torch.arange(6)
    for (part,) in ctx.parts(rows):
        with ctx.joined(2):
            parts.append((ctx.normal(2 * len(part), 2), ctx.common(), ctx.order(5)))
    assert torch.equal(torch.rand(3), after)
    halves = [torch.cat([part[0][:2] for part in parts]), torch.cat([part[0][2:] for part in parts])]
    assert torch.equal(torch.cat(halves), whole[0])  # all real ones, then all fakes
    assert all(part[1:] == whole[1:] for part in parts)


@pytest.mark.parametrize("ask", [lambda ctx, x: ctx.mean(x), lambda ctx, x: ctx.gather(x)], ids=["mean", "gather"])
def test_what_is_of_a_whole_batch_is_refused_inside_of_a_part(catalog: Catalog, ask: Callable[..., Any]) -> None:
    ctx = RunContext(catalog, Runtime(CPU), 0)
    ctx.accumulation = Accumulation(CPU, 2)
    parts = ctx.parts(torch.zeros(4))
    (part,) = next(parts)
    with pytest.raises(SettingsError, match="accumulate: this method takes the .* of a whole batch"):
        ask(ctx, part)
    parts.close()  # type: ignore[attr-defined]
    assert torch.equal(ask(ctx, torch.zeros(4)), torch.zeros(4))  # outside it is to be had


RUN = {"steps": 2, "batch_size": 12, "log_every": 1, "checkpoint_every": 1, "sample_every": 0}


def start(catalog: Catalog, path: Path, recipe: str, **given: Any) -> Training:
    experiment = resolve(catalog, plugin=None, recipe=recipe, dataset="digits", scale="tiny", overrides=RUN | given)
    return Training(opened(catalog, experiment, path), Runtime(CPU), Unwatched())


@pytest.mark.parametrize(
    ("recipe", "given", "complaint"),
    [
        ("gan/biggan-hinge", {"accumulate": 2}, "of the BigGANGenerator takes statistics of a whole batch"),
        ("gan/biggan-hinge", {"accumulate": 5}, "a batch of 12 cannot be divided into 5 equal parts"),
        ("gan/biggan-hinge", {"accumulate": 2, "regulariser": "lecam"}, "regulariser 'lecam' looks at the logits"),
        ("lcsa/biggan-d512", {"accumulate": 2}, "method 'lcsa' takes its batches whole"),
    ],
)
def test_it_is_refused_where_parts_are_not_the_whole(
    catalog: Catalog, tmp_path: Path, recipe: str, given: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        start(catalog, tmp_path, recipe, **given)


def test_statistics_of_each_part_may_be_asked_for(catalog: Catalog, tmp_path: Path) -> None:
    training = start(catalog, tmp_path, "gan/biggan-hinge", accumulate=2, accumulate_statistics="part")
    training.run(resume=False)
    assert training.finished
    norm = next(m for m in training.method.state()["generator"].modules() if isinstance(m, nn.BatchNorm2d))
    # each part counts: 2 steps, each of 4 discriminator steps and one generator step, of two parts
    assert int(norm.num_batches_tracked) == 2 * (training.settings.d_steps + 1) * 2  # type: ignore[attr-defined]
