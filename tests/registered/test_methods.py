"""Every registered method, and every stand-in: trains, samples, saves, loads into other weights, resumes to the bit."""

from __future__ import annotations

import pytest
import torch
from resuming import StopAt, final_state, same
from short_runs import recipe_parameters
from short_trainings import training_of
from with_stand_ins import with_stand_ins

from harness.catalog import Catalog
from harness.contracts.capabilities import Sampler, Trained
from harness.contracts.settings import EvaluationSettings
from harness.runs.pictures.draw import draw
from harness.training.loop import Training
from harness.training.runtime import Runtime

EVALUATION = EvaluationSettings(samples=20, block=10)


CATALOG = with_stand_ins()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Everything that is installed, and the stand-ins."""
    return CATALOG


class HalfPrecision(Runtime):
    """The CPU under bf16-mixed, as Fabric sets it up."""

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16)


def samples(training: Training):
    trained = training.method.trained()
    assert isinstance(trained, Trained), "trained() says which networks it uses and what is measured"
    return draw(trained, 20, 0, EVALUATION) if isinstance(trained, Sampler) else None


def networks(training: Training) -> dict[str, torch.Tensor]:
    """Weights and buffers of all networks that the method declares, as they are now."""
    return {
        f"{name}.{key}": tensor.clone()
        for name, value in training.method.state().items()
        if isinstance(value, torch.nn.Module)
        for key, tensor in value.state_dict().items()
    }


@pytest.fixture(params=recipe_parameters(CATALOG))
def recipe(request) -> str:
    return request.param


def test_it_trains_and_samples_what_the_data_looks_like(catalog, recipe, tmp_path):
    training = training_of(catalog, recipe, tmp_path)
    before = networks(training)
    training.run(resume=False)
    assert not same(before, networks(training))
    drawn = samples(training)
    if drawn is not None:
        assert drawn.images.shape == (20, *training.problem.shape)
        assert torch.isfinite(drawn.images).all()
        again = samples(training)
        assert torch.equal(drawn.images, again.images)
        if training.problem.kind == "images":
            assert drawn.images.abs().max() <= 1


def moments_of(training: Training, everywhere: bool) -> list[tuple[str, int]]:
    """Steps after which to break off: all, or the first of all and the last of each stage."""
    stages = [stage for stage in training.stages if stage.steps]
    if everywhere:
        return [(stage.name, step) for stage in stages for step in range(1, stage.steps + 1)]
    return [(stages[0].name, 1), *((stage.name, stage.steps) for stage in stages)]


@pytest.mark.parametrize("everywhere", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["stages", "steps"])
def test_wherever_it_breaks_off_it_resumes_to_the_bit(catalog, recipe, everywhere, tmp_path):
    whole = training_of(catalog, recipe, tmp_path / "whole")
    whole.run(resume=False)
    expected, drawn = final_state(whole), samples(whole)
    for number, moment in enumerate(moments_of(whole, everywhere)):
        path = tmp_path / str(number)
        with pytest.raises(KeyboardInterrupt):
            training_of(catalog, recipe, path, StopAt(*moment)).run(resume=False)
        resumed = training_of(catalog, recipe, path)
        with torch.no_grad():  # other weights than the run's seed gives
            for value in resumed.method.state().values():
                for parameter in value.parameters() if isinstance(value, torch.nn.Module) else ():
                    parameter.mul_(0.5)
        resumed.run(resume=True)
        assert same(final_state(resumed), expected), f"after {moment}"
        if drawn is not None:
            assert torch.equal(samples(resumed).images, drawn.images)


@pytest.mark.parametrize("penalty", [None, "r1"])
def test_it_trains_under_bf16_and_keeps_its_weights_in_float32(catalog, recipe, penalty, tmp_path):
    has_penalty = "penalty" in catalog.load_spec("method", catalog.recipe(recipe).method, "settings").model_fields
    if penalty is not None and not has_penalty:
        pytest.skip("this method has no penalty to set")
    given = {"penalty": {"name": penalty}} if penalty else {}
    training = training_of(catalog, recipe, tmp_path, runtime=HalfPrecision(torch.device("cpu")), **given)
    training.run(resume=False)
    for name, value in training.method.state().items():
        for parameter in value.parameters() if isinstance(value, torch.nn.Module) else ():
            assert parameter.dtype == torch.float32, name
