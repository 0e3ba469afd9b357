"""Runs held against the printed numbers of their recipe: which numbers answer to which, and whether they may.

A number may be compared when nothing differs that the paper states: protocol, subject, scale, settings. What the paper
leaves open is not held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.catalog import Catalog
from harness.contracts.specs import Tolerance
from harness.errors import UnknownName
from harness.evaluation.protocols.protocol import NOT_STATED, Difference, Plain
from harness.results.references import Reference
from harness.results.replicates import Measured, Replicate, Replicates, varying
from harness.results.verdicts import Judgement, Outcome, judge

#: the field of a protocol that says into how many folds the data was cut
FOLDS = "folds"

#: the scale that the papers' numbers belong to
PRINTED_SCALE = "paper"


@dataclass(frozen=True)
class Verdict:
    """One printed number, and what became of it.

    :param why: in a sentence.
    :param ours: our number (a mean over seeds and folds) in the printed unit; None where there is none.
    :param error: its standard error in the printed unit.
    :param error_of: what varies in it: "seeds", "folds", both, or "sampling".
    :param replicates: the runs behind it.
    :param protocol_id: how ours was measured.
    :param differences: what keeps the two from being compared.
    """

    reference: Reference
    outcome: Outcome
    why: str
    ours: float | None = None
    error: float | None = None
    error_of: str | None = None
    replicates: tuple[Replicate, ...] = ()
    protocol_id: str | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        """One a run."""
        return tuple(one.seed for one in self.replicates)


def references_of(runs: Replicates, references: Iterable[Reference]) -> list[Reference]:
    """The printed numbers of a recipe on the same share of the same data set."""
    return [reference for reference in references if not place_differences(runs, reference)]


def verdicts_of(runs: Replicates, references: Iterable[Reference], catalog: Catalog) -> list[Verdict]:
    """A verdict for each printed number of the runs' recipe, data set and fraction."""
    return [verdict(runs, reference, catalog) for reference in references_of(runs, references)]


def verdict(runs: Replicates, reference: Reference, catalog: Catalog) -> Verdict:
    """One printed number held against runs of its recipe."""
    name = reference.protocol.measured_as
    if name is None:
        return Verdict(reference, Outcome.NOT_RUN, f"the harness does not measure {reference.metric}")
    measured = closest(runs, reference)
    if measured is None:
        return Verdict(reference, Outcome.NOT_RUN, f"the record has no {name}: harness evaluate RUN --metrics {name}")
    factor = reference.protocol.factor
    differences = (
        *place_differences(runs, reference),
        *run_differences(runs),
        *number_differences(measured, reference),
    )
    values = [value * factor for value in measured.values]
    margin, reason = margin_of(reference, tolerance_of(catalog, name))
    judgement = judge(values, reference.value, margin, measured.higher_is_better)
    outcome, why = judgement.outcome, _why(judgement, measured.replicates, reason)
    if differences:
        outcome, why = Outcome.NOT_COMPARABLE, "; ".join(map(str, differences))
    return Verdict(
        reference,
        outcome,
        why,
        ours=judgement.mean,
        error=None if measured.error is None else measured.error * factor,
        error_of=measured.error_of,
        replicates=measured.replicates,
        protocol_id=measured.protocol_id,
        differences=differences,
    )


def closest(runs: Replicates, reference: Reference) -> Measured | None:
    """Among our numbers of that name, the one whose protocol and subject differ least; None for none."""
    named = [number for number in runs.numbers if number.metric == reference.protocol.measured_as]
    return min(named, key=lambda number: len(number_differences(number, reference)), default=None)


def place_differences(runs: Replicates, reference: Reference) -> list[Difference]:
    """What keeps a printed number from being one of the runs' own: another recipe, data set or share of it."""
    coordinates = runs.first["coordinates"]
    pairs = {
        "recipe": (runs.recipe, reference.recipe),
        "dataset": (coordinates["dataset"], reference.dataset),
        "fraction": (coordinates["fraction"], reference.fraction),
    }
    return [Difference(key, here, there) for key, (here, there) in pairs.items() if here != there]


def run_differences(runs: Replicates) -> list[Difference]:
    """What of the runs is not as the recipe says, or of their data not as it was published."""
    first = runs.first
    found = []
    if first["exit_state"] != "finished":
        found.append(Difference("exit_state", first["exit_state"], "finished"))
    lossy = first["data"]["notes"].get("lossy")
    if lossy:
        found.append(Difference("lossy", lossy, "the original pixels"))
    if first["scale"] != PRINTED_SCALE:
        found.append(Difference("scale", first["scale"], PRINTED_SCALE))
    if first["recipe"] != runs.recipe:
        found += [Difference(key, _plain(value), "as in the recipe") for key, value in runs.overridden.items()]
    return found


def stated_fields(reference: Reference) -> dict[str, Plain]:
    """What is known of how a printed number was measured, its row's part of it included, and of what."""
    row = {key: reference.setting[key] for key in reference.protocol.per_row}
    return {**reference.protocol.fields, **row, **_of_subject(reference.subject)}


def recorded_fields(measured: Measured) -> dict[str, Plain]:
    """The same of a number of ours, under the same names."""
    return {**measured.protocol, **_of_subject(measured.subject)}


def _of_subject(subject: Mapping[str, str]) -> dict[str, Plain]:
    return {f"subject.{key}": value for key, value in subject.items()}


def number_differences(measured: Measured, reference: Reference) -> list[Difference]:
    """What the paper states of protocol and subject, and ours has otherwise."""
    ours = recorded_fields(measured)
    stated = stated_fields(reference)
    pairs = [(field, ours.get(field, NOT_STATED), value) for field, value in stated.items()]
    if FOLDS in ours and FOLDS not in stated:  # who says nothing of folds used the splits as they are published
        pairs.append((FOLDS, ours[FOLDS], "the published splits"))
    return [Difference(field, here, there) for field, here, there in pairs if not same(here, there)]


def same(ours: Plain, printed: Plain) -> bool:
    """Whether a recorded value is what a table or a paper's protocol says; numbers by value, the rest by its text."""
    if isinstance(ours, bool) or isinstance(printed, bool) or ours is None or printed is None:
        return str(ours).lower() == str(printed).lower()
    try:
        return float(ours) == float(printed)
    except ValueError:
        return str(ours) == str(printed)


def margin_of(reference: Reference, tolerance: Tolerance | None) -> tuple[float, str]:
    """How far from the printed number counts as the same, in its unit, and why so far.

    The paper's own spread where it prints one, else the metric's tolerance; the print's rounding comes on top.
    """
    if reference.std is not None:
        return reference.std + reference.rounding, f"the printed ±{reference.printed_std}"
    if tolerance is None:
        return reference.rounding, "the print's rounding (the metric states no tolerance)"
    factor = reference.protocol.factor
    margin = tolerance.margin(reference.value / factor) * factor
    return margin + reference.rounding, f"the metric's tolerance of {margin:.3g}"


def tolerance_of(catalog: Catalog, name: str) -> Tolerance | None:
    """What the metric that gives a number says of numbers that agree; None where it says nothing or is not there."""
    try:
        return catalog.metric(name).tolerances.get(name)
    except UnknownName:
        return None


def counted(verdicts: Sequence[Verdict]) -> dict[Outcome, int]:
    """How many verdicts of each kind there are, kinds that do not occur left out."""
    found = [verdict.outcome for verdict in verdicts]
    return {outcome: found.count(outcome) for outcome in Outcome if outcome in found}


def _why(judgement: Judgement, replicates: Sequence[Replicate], reason: str) -> str:
    inside = judgement.outcome is Outcome.REPRODUCED
    if len(replicates) == 1:
        of = "" if replicates[0].fold is None else " and fold"
        return f"{'within' if inside else 'beyond'} {reason}; one seed{of}"
    what = varying(replicates)
    runs = what if what in ("seeds", "folds") else "runs"
    interval = f"90 % interval of the mean of {len(replicates)} {runs}, ±{judgement.half_width:.3g},"
    if judgement.outcome is Outcome.INCONCLUSIVE:
        needed = judgement.runs_needed
        more = f"about {needed} {runs} would settle it" if needed else f"no number of {runs} is likely to settle it"
        return f"{interval} crosses the border of {reason}; {more}"
    return f"{interval} lies {'within' if inside else 'beyond'} {reason}"


def _plain(value: object) -> Plain:
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
