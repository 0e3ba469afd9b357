"""The contract between a method and the training loop.

A method is plain PyTorch. It builds its networks, says which stages it has, what its state is, and what it can do when
trained. The loop owns steps, logs, sample grids, checkpoints, resumption and time; a step function reads like the
paper's algorithm::

    class Gan:
        def __init__(self, settings, problem, ctx): ...          # networks, optimisers
        def stages(self):  return [Stage("gan", self.settings.steps, self.step, begin=self.begin)]
        def state(self):   return {"generator": self.generator, "generator_adam": self.generator_adam, ...}
        def trained(self): return ...                            # see harness.contracts.capabilities
        def step(self, stream):
            real = stream.next()
            ...
            self.ctx.minimize(discriminator=(loss, self.discriminator_adam))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.contracts.context import Context
from harness.contracts.data import Problem
from harness.contracts.stream import Stream, TrainingData


@dataclass(frozen=True)
class Stage:
    """A part of a method's training with its own batches.

    :param name: unique within the method; names its log lines and product.
    :param steps: how many times `step` is called.
    :param step: one iteration of the paper's outer loop. Draws as many batches as the algorithm wants, or none. All
        randomness is re-seeded from (seed, stage, step, device) before each call.
    :param begin: sets train/eval and frozen flags; called before the first step, and again after every resumption.
    :param finish: called once after the last step with the data that its stream drew from; may be repeated without
        harm.
    :param data: replaces the data that the stage's stream draws from (for labels made by an earlier stage).
    :param products: names of state entries ("generator"), or of parts of their modules ("generator.blocks"), that the
        stage makes for others; also saved as ``products/<stage>.pt``.
    :param samples: whether the method can already sample; without, no grid or evaluation is made during the stage.
    :param source: a run folder whose product is taken instead of training this stage.
    """

    name: str
    steps: int
    step: Callable[[Stream], None]
    begin: Callable[[], None] | None = None
    finish: Callable[[TrainingData], None] | None = None
    data: Callable[[TrainingData], TrainingData] | None = None
    products: tuple[str, ...] = ()
    samples: bool = True
    source: str | None = None


class Method(Protocol):
    """A training algorithm.

    Built as ``Method(settings, problem, ctx)``, with torch's global generators seeded from the run's seed; it must also
    build on the meta device (no data, no value of a tensor looked at).
    """

    def __init__(self, settings: Any, problem: Problem, ctx: Context) -> None: ...

    #: a class says ``accumulates = True`` where all its batches go through :meth:`Context.parts`

    def stages(self) -> Sequence[Stage]:
        """The stages in order."""
        ...

    def state(self) -> Mapping[str, Any]:
        """All that training changes, by name.

        Each value is a tensor (loaded in place) or has `state_dict` and `load_state_dict` that give and take only
        tensors, str, int, float, bool, None, lists and dicts. Names and shapes stay the same throughout a run.
        """
        ...

    def trained(self) -> object:
        """What it can do: an object with capabilities (:mod:`harness.contracts.capabilities`).

        Its capabilities are the same from the start, since evaluation is planned before the first step; a stage in
        which they mean nothing yet says ``samples=False``.
        """
        ...
