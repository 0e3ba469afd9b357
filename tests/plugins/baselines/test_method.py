"""The plain GAN: which step moves what, penalties, variants, resumption."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from harness_baselines.config import GanSettings
from harness_baselines.method import Gan
from torch import Tensor, nn

from harness import Batch, Context, Problem, Seeds, SettingsError, Stream
from harness.catalog import Catalog
from harness.data import Split, TrainingData, load_dataset
from harness.experiment import resolve
from harness.overrides import merged
from harness.randomness import seed_everything
from harness.training.build import build_method
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime

IMAGES = {"backbone": {"width": 4, "latent_dim": 8}, "batch_size": 8, "d_steps": 2, "ema": {"decay": 0.5, "start": 0}}
POINTS = {"backbone": {"generator_width": 16, "discriminator_width": 8}, "batch_size": 8}


class Running:
    """A method ready to step."""

    def __init__(self, method: Gan, ctx: Context, stream: Stream) -> None:
        self.method, self.ctx, self.stream = method, ctx, stream

    def steps(self, first: int, last: int) -> None:
        for step in range(first, last):
            self.ctx.step = step
            seed_everything(0, "gan", step)
            self.method.step(self.stream)


Make = Callable[..., Running]


@pytest.fixture
def make(catalog: Catalog) -> Make:
    def build(dataset: str = "digits", recipe: str | None = None, seed: int = 0, **settings: Any) -> Running:
        small = IMAGES if dataset == "digits" else POINTS
        experiment = resolve(
            catalog, plugin="gan", recipe=recipe, dataset=dataset, overrides=merged(small, settings), seed=seed
        )
        data = load_dataset(catalog, dataset, Path("none"), backbone=experiment.settings.backbone.name)
        method, ctx = build_method(experiment, data.problem(), Runtime(torch.device("cpu")), catalog)
        split = data.training()
        assert isinstance(split, Split)
        assert isinstance(method, Gan)
        stream = Stream(TrainingData.of(split, ctx.device), experiment.settings.batch_size, (0, "gan"))
        method.pair.train()
        return Running(method, ctx, stream)

    return build


def changed(network: nn.Module, action: Callable[[], Any]) -> list[bool]:
    before = [p.detach().clone() for p in network.parameters()]
    action()
    return [not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True)]


@pytest.mark.parametrize("dataset", ["digits", "ring2d"])
def test_each_networks_step_moves_it_alone(make: Make, dataset: str) -> None:
    running = make(dataset)
    method = running.method
    both = nn.ModuleDict({"generator": method.pair.generator, "discriminator": method.pair.discriminator})
    n = len(list(both["generator"].parameters()))
    after = changed(both, lambda: method.discriminator_step(running.stream.next(), 0))
    assert not any(after[:n])
    assert all(after[n:])
    after = changed(both, lambda: method.generator_step(running.stream.next()))
    # a bias before batch norm has no effect, and hence no gradient but rounding
    assert sum(after[:n]) > 0.6 * n
    assert not any(after[n:])


def test_the_discriminator_sees_each_real_image_once_and_as_many_fakes(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, seen = make(), []
    forward = running.method.pair.discriminator.forward
    monkeypatch.setattr(
        running.method.pair.discriminator, "forward", lambda x, c=None: (seen.append((x, c)), forward(x, c))[1]
    )
    batch = running.stream.next()
    running.method.discriminator_step(batch, 0)
    ((images, told),) = seen
    assert torch.equal(images[:8], batch.images)
    assert images.shape == (16, 1, 8, 8)
    assert torch.equal(told[:8], batch.labels)


@pytest.mark.parametrize("discriminator", ["alternating", "strided"])
def test_two_passes_differ_from_one_where_the_discriminator_has_batch_norm(make: Make, discriminator: str) -> None:
    def logits(passes: str) -> dict[str, float]:
        backbone = {"name": "dcgan", "width": 4, "discriminator": discriminator}
        running = make(backbone=backbone, passes=passes, d_steps=1)
        running.steps(0, 1)
        return running.ctx.meters.drain()

    joint, separate = logits("joint"), logits("separate")
    differ = abs(joint["real_logit"] - separate["real_logit"]) > 1e-4
    assert differ == (discriminator == "strided")
    # the generator's step sees fakes alone either way, and nothing else is drawn
    assert joint.keys() == separate.keys()


@pytest.mark.parametrize(("loss", "undecided"), [("hinge", 2.0), ("nsgan", 2 * math.log(2))])
def test_the_loss_is_the_one_named(make: Make, loss: str, undecided: float) -> None:
    assert make(loss=loss).method.loss.discriminator(torch.zeros(8), torch.zeros(8)).item() == pytest.approx(undecided)


@pytest.mark.parametrize("penalty", ["r1", "r2", "gp"])
@pytest.mark.parametrize("dataset", ["digits", "ring2d"])
def test_a_penalty_joins_the_loss_with_its_weight(make: Make, penalty: str, dataset: str) -> None:
    def first_penalty(weight: float) -> float:
        running = make(dataset, penalty={"name": penalty, "weight": weight}, d_steps=1)
        running.steps(0, 1)
        return running.ctx.meters.drain()["discriminator/penalty"]

    assert first_penalty(3.0) == pytest.approx(3.0 * first_penalty(1.0), rel=1e-5)
    assert first_penalty(1.0) > 0


def test_a_lazy_penalty_comes_every_so_many_discriminator_steps(make: Make) -> None:
    def due(every: int) -> list[bool]:
        running = make("ring2d", penalty={"name": "r1", "every": every}, d_steps=2)
        found = []
        for step in range(3):
            running.ctx.step = step
            for number in range(2):
                running.method.discriminator_step(Batch(points, None, torch.arange(8)), step * 2 + number)
                found.append("discriminator/penalty" in running.ctx.meters.drain())
        return found

    points = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    assert due(3) == [True, False, False] * 2
    assert due(1) == [True] * 6


def test_batch_norm_statistics_follow_fakes_only(make: Make) -> None:
    running = make()
    names = [name for name, _ in running.method.pair.generator.named_buffers() if name.endswith("num_batches_tracked")]
    running.steps(0, 1)
    counts = {int(dict(running.method.pair.generator.named_buffers())[name]) for name in names}
    assert counts == {3}  # two discriminator steps, one generator step


def test_the_average_takes_in_the_generator_after_its_step(make: Make) -> None:
    running = make()
    before = [p.detach().clone() for p in running.method.pair.generator.parameters()]
    running.steps(0, 1)
    pairs = zip(
        running.method.pair.generator.parameters(), running.method.pair.average.module.parameters(), strict=True
    )
    for old, (new, average) in zip(before, pairs, strict=True):
        torch.testing.assert_close(average, 0.5 * (old + new))


def test_unconditional_training_ignores_labels(make: Make) -> None:
    running = make(recipe="biggan-hinge-unconditional")
    batch = running.stream.next()
    assert batch.labels is not None
    running.method.discriminator_step(Batch(batch.images, None, batch.index), 0)
    running.steps(0, 1)
    assert running.method.trained().sample(Seeds(0, range(3))).conditions is None


def test_the_unconditional_recipe_cannot_be_told_otherwise(make: Make) -> None:
    with pytest.raises(SettingsError, match="conditional"):
        make(recipe="biggan-hinge-unconditional", conditional=True)


@pytest.mark.parametrize("dataset", ["digits", "ring2d"])
def test_samples_come_from_the_average_unless_averaging_is_off(make: Make, dataset: str) -> None:
    running = make(dataset, ema={"decay": 0.9})
    assert running.method.trained().generator is running.method.pair.average.module
    raw = make(dataset, ema={"decay": 0.0}).method.trained()
    assert raw.subject == {"weights": "raw"}
    assert raw.sample(Seeds(0, range(3))).images.shape == ((3, 1, 8, 8) if dataset == "digits" else (3, 2))


def stored(method: Gan) -> dict[str, Any]:
    buffer = io.BytesIO()
    torch.save({name: value.state_dict() for name, value in method.state().items()}, buffer)
    buffer.seek(0)
    loaded: dict[str, Any] = torch.load(buffer, weights_only=True)
    return loaded


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, Tensor) else bool(a == b)


@pytest.mark.parametrize("dataset", ["digits", "ring2d"])
def test_goes_on_to_the_bit_from_its_state_in_a_method_built_with_other_weights(make: Make, dataset: str) -> None:
    first, second = make(dataset), make(dataset, seed=1)
    first.steps(0, 2)
    for name, state in stored(first.method).items():
        second.method.state()[name].load_state_dict(state)
    second.stream.load_state_dict(first.stream.state_dict())
    first.steps(2, 4)
    second.steps(2, 4)
    assert same(stored(first.method), stored(second.method))
    ours, theirs = (running.method.trained().sample(Seeds(0, range(4))) for running in (first, second))
    assert torch.equal(ours.images, theirs.images)


def test_training_moves_the_generator_to_where_the_data_is(catalog: Catalog) -> None:
    settings = GanSettings.model_validate(
        {
            "backbone": {"name": "mlp", "generator_width": 32, "discriminator_width": 32, "generator_layers": 2},
            "loss": "nsgan",
            "batch_size": 64,
            "d_steps": 1,
            "generator_adam": {"lr": 2e-3, "betas": [0.5, 0.999]},
            "discriminator_adam": {"lr": 2e-3, "betas": [0.5, 0.999]},
            "ema": {"decay": 0.9, "start": 0},
        }
    )
    torch.manual_seed(0)
    ctx = RunContext(catalog, Runtime(torch.device("cpu")), 0)
    method = Gan(settings, Problem("shifted", "points", (2,), (), None), ctx)
    points = torch.randn(4096, 2) * 0.5 + 3.0
    stream = Stream(TrainingData(points, None, 0, torch.device("cpu")), 64, (0, "gan"))
    method.pair.train()
    for step in range(300):
        ctx.step = step
        method.step(stream)
    mean = method.trained().sample(Seeds(0, range(500))).images.mean(0)
    torch.testing.assert_close(mean, torch.full((2,), 3.0), atol=1.0, rtol=0)
