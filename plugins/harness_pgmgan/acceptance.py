"""How often the first draw lies in the partition that it was told: what redraws cost, and what they are needed for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch import Tensor

from harness.evaluation import (
    Evidence,
    Measurement,
    MetricContext,
    Protocol as MeasuringProtocol,
    Term,
    Value,
    sampling_mode,
)
from harness.randomness import Seeds

if TYPE_CHECKING:
    from harness.evaluation import Bench


@runtime_checkable
class Drawing(Protocol):
    """Tells samples of numbered partitions whether their first draw lies there."""

    def first_draws(self, seeds: Seeds) -> tuple[Tensor, Tensor]:
        """Partitions told int64 [N], and whether each first draw is accepted, bool [N]."""
        ...


@dataclass(frozen=True)
class FirstDraws(Evidence[tuple[Tensor, Tensor]]):
    """What :meth:`Drawing.first_draws` says of the first samples of a run, on the CPU."""

    count: int
    block: int

    def size(self) -> int:
        return self.count

    def make(self, bench: Bench) -> tuple[Tensor, Tensor]:
        found = []
        with sampling_mode(bench.trained, seed=bench.seed, block=self.block, batch_norm="eval"), torch.no_grad():
            for start in range(0, self.count, self.block):
                told, met = bench.trained.first_draws(Seeds(bench.seed, range(start, start + self.block)))
                found.append((told.cpu(), met.cpu()))
        told, met = (torch.cat(part)[: self.count] for part in zip(*found, strict=True))
        return told, met


def acceptance(*, draws: tuple[Tensor, Tensor]) -> dict[str, Value]:
    """Share of first draws that are accepted, in per cent; details: the lowest share of a partition, and how many
    partitions were drawn.

    :param draws: partitions int64 [N], accepted bool [N].
    """
    told, met = draws
    share = met.double().mean()
    error = (share * (1 - share) / len(met)).sqrt()
    counts = torch.bincount(told)
    of_each = torch.bincount(told, met.double())[counts > 0] / counts[counts > 0]
    details = {"lowest_of_a_partition": 100 * float(of_each.min()), "partitions": float(len(of_each))}
    return {
        "acceptance_pct": Value(
            100 * float(share), std_error=100 * float(error), std_error_of="sampling", details=details
        )
    }


class Acceptance:
    """`acceptance_pct`, in eval mode."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        settings = context.settings
        draws = FirstDraws(settings.samples, settings.block)
        terms = (
            Term("generated_count", draws.count),
            Term("block", draws.block, f"block{draws.block}"),
            Term("batch_norm", "eval", "bn-eval"),
        )
        protocols = {"acceptance_pct": MeasuringProtocol("acceptance_pct", terms)}
        return [Measurement({"draws": draws}, acceptance, protocols)]
