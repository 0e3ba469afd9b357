"""The examination: each metric at its baseline and under its disturbances, and whether it moved as it must."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.contracts.specs import MetricSpec
from harness.doctor.cases import BASELINE, IMAGE_COUNT, POINT_COUNT, Case, Cases
from harness.doctor.settings_in_protocols import check_shown
from harness.errors import EvaluationError, SettingsError
from harness.evaluation import MetricEntry, evaluate
from harness.evaluation.feature_networks.extractor import open_extractor

#: a change below this share of the larger value is none
UNMOVED = 0.01

#: what a metric with a better direction must do where its spec says nothing: noise makes it worse
WORSE: Mapping[bool, str] = {True: "down", False: "up"}


@dataclass(frozen=True)
class Finding:
    """One number under one disturbance.

    :param must: "up", "down" or "same".
    """

    metric: str
    protocol_id: str
    disturbance: str
    baseline: float
    disturbed: float
    must: str

    @property
    def moved(self) -> str:
        """What it did."""
        change = self.disturbed - self.baseline
        if abs(change) <= UNMOVED * max(abs(self.disturbed), abs(self.baseline)):
            return "same"
        return "up" if change > 0 else "down"

    @property
    def right(self) -> bool:
        """Whether it did what it must."""
        return self.moved == self.must


@dataclass(frozen=True)
class Unexamined:
    """A metric that could not be examined, and why."""

    metric: str
    reason: str


def examine(
    catalog: Catalog, names: Sequence[str] | None = None, extractors: tuple[str, ...] | None = None
) -> tuple[list[Finding], list[Unexamined]]:
    """Put metrics through the mill.

    :param names: of metrics or of their values; None for all that are registered.
    :param extractors: feature networks; None for those of the data.
    :raises UserError: for a name that nobody offers, a named metric that cannot be examined, or one of whose settings
        its protocols do not show.
    """
    specs = {spec.name: spec for spec in _specs(catalog, names)}.values()
    findings: list[Finding] = []
    unexamined: list[Unexamined] = []
    with TemporaryDirectory(prefix="harness-doctor-") as folder:
        cases = Cases(catalog, Path(folder))
        for name in extractors or ():  # a network that was named is examined, or the reason why not is an error
            open_extractor(catalog, name, torch.device("cpu")).check(cases.images.finite("train").values.shape[1:])
        for spec in specs:
            try:
                findings += _examined(catalog, spec, cases, extractors)
            except EvaluationError as error:
                if names is not None:
                    raise
                unexamined.append(Unexamined(spec.name, str(error)))
    return findings, unexamined


def _specs(catalog: Catalog, names: Sequence[str] | None) -> Iterator[MetricSpec]:
    if names is not None:
        yield from map(catalog.metric, names)
        return
    yield from (spec for spec in catalog.all("metric") if isinstance(spec, MetricSpec))


def _examined(catalog: Catalog, spec: MetricSpec, cases: Cases, extractors: tuple[str, ...] | None) -> list[Finding]:
    """Findings on every kind of data that the metric is for and that there are cases of."""
    moves = expectations(spec)
    made = {kind: cases.of(kind, spec.requires) for kind in spec.kinds}
    there = {kind: makers for kind, makers in made.items() if BASELINE in makers}
    if not there:
        raise EvaluationError(f"there is no healthy case for capability '{spec.requires}'")
    asked = list(dict.fromkeys(name for of_value in moves.values() for name in of_value))
    check_shown(catalog, spec, [makers[BASELINE]() for makers in there.values()], extractors)
    findings: list[Finding] = []
    for kind, makers in there.items():
        disturbances = [name for name in asked if name in makers]
        before = _measured(catalog, spec, makers[BASELINE](), kind, extractors) if disturbances else []
        for disturbance in disturbances:
            after = _measured(catalog, spec, makers[disturbance](), kind, extractors)
            findings += _compared(disturbance, before, after, moves)
    if not findings:
        raise EvaluationError(f"metric '{spec.name}' says of no disturbance how it moves")
    return findings


def _compared(
    disturbance: str,
    before: Sequence[MetricEntry],
    after: Sequence[MetricEntry],
    moves: Mapping[str, Mapping[str, str]],
) -> Iterator[Finding]:
    """Numbers of the same protocol, so far as it can be the same beside other data."""
    found = {_place(entry): entry.value for entry in after}
    for entry in before:
        must = moves.get(entry.metric, {}).get(disturbance)
        if must is not None:
            if _place(entry) not in found:
                raise EvaluationError(f"{entry.protocol_id} is not measured under {disturbance}, so it cannot move")
            yield Finding(entry.metric, entry.protocol_id, disturbance, entry.value, found[_place(entry)], must)


def _place(entry: MetricEntry) -> tuple[str, ...]:
    return (entry.protocol_id, *entry.subject.values())


def expectations(spec: MetricSpec) -> Mapping[str, Mapping[str, str]]:
    """How each value must move, by disturbance: as the spec says, else noise makes it worse.

    :raises SettingsError: where the spec says something else than up, down or same.
    """
    for of_value in spec.moves.values():
        for disturbance, must in of_value.items():
            if must not in ("up", "down", "same"):
                raise SettingsError(f"metric '{spec.name}' moves '{must}' under {disturbance}", "up, down or same")
    if spec.moves:
        return spec.moves
    return {name: {"noise": WORSE[better]} for name, better in spec.names.items() if better is not None}


def _measured(
    catalog: Catalog, spec: MetricSpec, case: Case, kind: str, extractors: tuple[str, ...] | None
) -> list[MetricEntry]:
    count = IMAGE_COUNT if kind == "images" else POINT_COUNT
    settings = EvaluationSettings(
        metrics=(spec.name,),
        samples=count,
        neighbours_samples=count,
        pairs=200,
        extractors=extractors if kind == "images" else None,
        outliers=case.outliers,
    )
    return evaluate(case.trained, dataset=case.dataset, settings=settings, catalog=catalog, seed=0, device="cpu")
