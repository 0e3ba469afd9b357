"""What a metric promises: measurements, each a pure function of evidence with a protocol for every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.evaluation import MetricContext
from harness.evaluation.evidence.base import Evidence
from harness.evaluation.protocols.protocol import Protocol as MeasuringProtocol


@dataclass(frozen=True)
class Value:
    """A number as a metric's function returns it.

    :param std_error: where one is meaningful; `std_error_of` says what varies in it.
    :param remark: what a reader should know before trusting the value.
    :param details: numbers beside the value.
    :param subject: what of the method this value is about, where one protocol has several ("score": "nll").
    :param figures: pictures that belong to it, PNG bytes by file stem.
    """

    value: float
    std_error: float | None = None
    std_error_of: str | None = None
    remark: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    subject: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, bytes] = field(default_factory=dict)


#: what `compute` returns: values under the keys of the protocols, several under one where their subjects differ
Values = Mapping[str, Value | Sequence[Value]]


@dataclass(frozen=True)
class Measurement:
    """One call of a metric's function.

    :param evidence: requests by role; `compute` gets what they yield as keyword arguments of the same names.
    :param compute: a pure function of the evidence, returns values under the keys of `protocols`.
    :param protocols: how each value is measured.
    :param least: by role, the fewest items that it can be computed from; checked before anything is trained or made.
    """

    evidence: Mapping[str, Evidence[Any]]
    compute: Callable[..., Values]
    protocols: Mapping[str, MeasuringProtocol]
    least: Mapping[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Items by role, where they are known."""
        sizes = {role: request.size() for role, request in self.evidence.items()}
        return {role: size for role, size in sizes.items() if size is not None}


class Metric(Protocol):
    """A metric, or several that share their work. Built with its settings, or without arguments where it has none."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        """What to measure with what is on offer.

        :raises Inapplicable: where it cannot be measured here.
        """
        ...
