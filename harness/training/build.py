"""Opens an experiment's data and builds its method, on any device, the meta device included."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from harness.contracts.method import Method
from harness.contracts.settings import AdversarialSettings
from harness.data import LoadedDataset, Problem, load_dataset
from harness.errors import SettingsError
from harness.experiment import unlabelled
from harness.randomness import seed_everything
from harness.training.accumulation import Accumulation
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.experiment import Experiment


def open_dataset(catalog: Catalog, experiment: Experiment, root: Path) -> LoadedDataset:
    """The experiment's data, made to fit its backbone."""
    settings = experiment.settings
    return load_dataset(
        catalog,
        experiment.dataset,
        root,
        fraction=experiment.fraction,
        subset_seed=settings.subset_seed,
        fit=settings.fit,
        backbone=settings.backbone.name,
        train_split=settings.train_split,
        fold=experiment.fold,
    )


def declared_state(method: Method, ctx: RunContext) -> dict[str, Any]:
    """What a checkpoint keeps: what the method declares, and what accompanies it."""
    return {**method.state(), **ctx.companions.state()}


def accumulation(settings: AdversarialSettings, cls: Any, method: str, runtime: Runtime) -> Accumulation:
    """How a method's batches are taken.

    :raises SettingsError: where they cannot be taken in as many parts as the settings say.
    """
    parts = settings.accumulate
    shares = parts * runtime.world
    if parts > 1 and not getattr(cls, "accumulates", False):
        raise SettingsError(f"accumulate: method '{method}' takes its batches whole", "leave accumulate out")
    if parts > 1 and settings.batch_size % shares:
        over = f" on each of {runtime.world} devices" if runtime.world > 1 else ""
        raise SettingsError(
            f"accumulate: a batch of {settings.batch_size} cannot be divided into {parts} equal parts{over}",
            f"--set batch_size={shares * (settings.batch_size // shares + 1)}",
        )
    if parts > 1 and settings.regulariser.name is not None:
        raise SettingsError(
            f"accumulate: regulariser '{settings.regulariser.name}' looks at the logits of a whole batch",
            "leave accumulate or regulariser out",
        )
    return Accumulation(runtime.device, parts, own_statistics=settings.accumulate_statistics == "part")


def build_method(
    experiment: Experiment, problem: Problem, runtime: Runtime, catalog: Catalog
) -> tuple[Method, RunContext]:
    """The method with freshly initialised networks, and its context.

    Initialisation is drawn on the CPU from the run's seed, so that every device starts from the same weights.
    """
    if experiment.settings.conditional and problem.n_classes == 0:
        raise unlabelled(experiment.dataset)
    ctx = RunContext(catalog, runtime, experiment.seed)
    settings = experiment.settings
    ctx.accompany(settings.augmentation, settings.regulariser)
    cls: Any = catalog.load_spec("method", experiment.method, "method")
    if isinstance(settings, AdversarialSettings):
        ctx.accumulation = accumulation(settings, cls, experiment.method, runtime)
    where: AbstractContextManager[Any] = torch.device("meta") if runtime.device.type == "meta" else nullcontext()
    seed_everything(experiment.seed, "build")
    with where:
        method: Method = cls(settings, problem, ctx)
    ctx.companions.check_used(experiment.method, ctx.has_loss)
    return method, ctx
