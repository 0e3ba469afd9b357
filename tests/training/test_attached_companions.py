"""Companions: where an augmentation stands, what a pack is to it, what is saved, and where it means nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from opening import CPU, opened
from resuming import StopAt, final_state, same
from short_runs import short_stages
from torch import Tensor, nn

from harness import AdversarialSettings
from harness.catalog import Catalog, open_catalog
from harness.errors import SettingsError, UserError
from harness.experiment import resolve
from harness.training.attached_companions import Companions
from harness.training.loop import Training
from harness.training.runtime import Runtime
from harness.training.watching import Unwatched

SHORT = {"steps": 4, "batch_size": 8, "log_every": 1, "checkpoint_every": 1, "sample_every": 0}

#: at work from the first step on
LECAM = {"name": "lecam", "start": 0}


class Brighter:
    """Adds one to what it sees, and counts."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.shapes.append(tuple(images.shape))
        return images + 1

    def observe(self, scores: Tensor) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        return {"count": len(self.shapes)}

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Judge(nn.Module):
    """Gives back what it sees."""

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return images


def behind(augmentation: Brighter, pack: int = 1) -> Judge:
    judge = Judge()
    Companions(augmentation).attach(judge, pack)
    return judge


def test_an_augmentation_changes_what_a_training_discriminator_sees_and_nothing_else() -> None:
    judge, images = behind(Brighter()), torch.zeros(2, 1, 4, 4)
    assert torch.equal(judge(images), images + 1)
    assert torch.equal(judge(images=images), images + 1)
    assert torch.equal(judge(images, torch.tensor([0, 1])), images + 1)
    assert torch.equal(judge.eval()(images), images)
    assert judge.state_dict() == {}


def test_a_pack_is_augmented_image_by_image() -> None:
    augmentation = Brighter()
    packs = torch.arange(2.0 * 6 * 4 * 4).reshape(2, 6, 4, 4)
    assert torch.equal(behind(augmentation, pack=2)(packs), packs + 1)
    assert augmentation.shapes == [(4, 3, 4, 4)]


def test_several_resolutions_at_once_are_refused() -> None:
    judge = Judge()
    judge.atlas = True  # type: ignore[assignment]
    with pytest.raises(SettingsError, match="images of several resolutions at once"):
        Companions(Brighter()).attach(judge, 1)
    Companions().attach(judge, 1)  # nothing stands before it


def test_nothing_is_saved_where_there_are_none() -> None:
    assert Companions().state() == {}
    assert set(Companions(Brighter()).state()) == {"companions.augmentation"}


def training(catalog: Catalog, path: Path, method: str, watch: Any = None, **settings: Any) -> Training:
    experiment = resolve(catalog, plugin=method, dataset="digits", scale="tiny", overrides=SHORT | settings)
    return Training(opened(catalog, experiment, path), Runtime(CPU), watch or Unwatched())


def adversarial() -> list[Any]:
    """Methods in which a discriminator sees images: two of them always, the others with all that is slow."""
    catalog = open_catalog()
    found = []
    for name in catalog.names("method"):
        kinds = catalog.method(name).kinds
        if "images" in kinds and issubclass(catalog.load_spec("method", name, "settings"), AdversarialSettings):
            found.append(pytest.param(name, marks=[] if name in ("gan", "pacgan") else pytest.mark.slow))
    return found


@pytest.mark.parametrize("method", adversarial())
def test_broken_off_with_companions_a_run_goes_on_to_the_bit(catalog: Catalog, tmp_path: Path, method: str) -> None:
    ada = {"name": "ada", "target": -1.0, "interval": 2}
    stages = short_stages(catalog, catalog.method(method).default_recipe("digits").id, "digits")
    settings: dict[str, Any] = {"augmentation": ada, "regulariser": LECAM, "penalty": "r1", **stages}

    def state(of: Training) -> Any:
        return final_state(of), {n: dict(v.state_dict()) for n, v in of.ctx.companions.state().items()}

    whole = training(catalog, tmp_path / "whole", method, **settings)
    whole.run(resume=False)
    part = training(catalog, tmp_path / "part", method, StopAt("gan", 2), **settings)
    with pytest.raises(KeyboardInterrupt):
        part.run(resume=False)
    resumed = training(catalog, tmp_path / "part", method, **settings)
    resumed.run(resume=True)
    assert same(state(resumed), state(whole))
    assert whole.ctx.companions.augmentation.p > 0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("method", "dataset", "settings", "message"),
    [
        (
            "gan",
            "ring2d",
            {"augmentation": "ada"},
            "augmentation 'ada' is for images",
        ),
        (
            "training-data",
            "digits",
            {"augmentation": "ada"},
            "augmentation: method 'training-data'",
        ),
        ("training-data", "digits", {"regulariser": "lecam"}, "regulariser: method 'training-data'"),
        ("gan", "digits", {"augmentation": "adda"}, "unknown augmentation 'adda'"),
        ("gan", "digits", {"regulariser": {"name": "lecam", "wait": 1}}, "regulariser 'lecam' has no setting 'regul"),
        ("gan", "digits", {"augmentation": {"name": "diffaugment", "policy": "colour"}}, "augmentation.policy"),
    ],
)
def test_where_it_means_nothing_it_is_refused_in_one_line(
    catalog: Catalog, tmp_path: Path, method: str, dataset: str, settings: dict[str, Any], message: str
) -> None:
    def start() -> None:
        experiment = resolve(catalog, plugin=method, dataset=dataset, overrides=settings)
        Training(opened(catalog, experiment, tmp_path), Runtime(CPU), Unwatched())

    with pytest.raises(UserError, match=message) as caught:
        start()
    assert "\n" not in str(caught.value)
