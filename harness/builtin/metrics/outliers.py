"""Outlier detection: how well a method's scores tell images of other data from held-out images of its own.

A higher score is more of an outlier, and outliers are the positive class: a true positive is an outlier that is
flagged, a false positive an inlier that is flagged. This is also how OpenOOD 1.5 counts (Zhang et al. 2023); work that
takes inliers as positives (Liang et al. 2018) has the same AUROC, and another rate at 95 %. As many inliers as outliers
are scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from harness.builtin.metrics.ranking import auroc, auroc_every_nth, average_precision, fpr_at_tpr
from harness.errors import EvaluationError
from harness.evaluation import Measurement, MetricContext, OutlierScores, OutlierSet, Protocol, Term, Value

#: scores of each image of a set, by their names
Scores = Mapping[str, Tensor]

#: share of outliers, in percent, that must be flagged before false alarms are counted
FLAGGED = 95

#: the thesis' area takes every tenth inlier score as a threshold
EVERY = 10


def detection(*, inliers: Scores, outliers: Scores) -> dict[str, list[Value]]:
    """Scores of inliers and of outliers, each [N] by name, to every number for every score.

    - auroc: chance that an outlier scores higher than an inlier, ties half, with DeLong's standard error.
    - auroc_every10th: the same area from every tenth threshold (Cho 2025).
    - fpr_at_95_tpr: share of inliers flagged at the highest threshold that flags at least 95 % of outliers. OpenOOD
      1.5 reads it off a curve without the points that lie on a line between others, which differs within ties only.
    - aupr_out: average precision with outliers as positives; aupr_in: with inliers, and scores negated.

    :raises EvaluationError: where the sides have different scores, or a score is NaN.
    """
    if inliers.keys() != outliers.keys():
        raise EvaluationError(f"inliers have scores {', '.join(inliers)}, outliers {', '.join(outliers)}")
    found: dict[str, list[Value]] = {}
    for name in inliers:
        for key, value in _numbers(name, _checked(name, "inliers", inliers), _checked(name, "outliers", outliers)):
            found.setdefault(key, []).append(value)
    return found


def _numbers(name: str, inliers: Tensor, outliers: Tensor) -> list[tuple[str, Value]]:
    subject = {"score": name}
    area, error = auroc(outliers, inliers)
    others = {
        "auroc_every10th": auroc_every_nth(outliers, inliers, EVERY),
        "fpr_at_95_tpr": fpr_at_tpr(outliers, inliers, FLAGGED),
        "aupr_out": average_precision(outliers, inliers),
        "aupr_in": average_precision(-inliers, -outliers),
    }
    exact = Value(area, error, None if error is None else "sampling", subject=subject)
    return [("auroc", exact), *((key, Value(value, subject=subject)) for key, value in others.items())]


def _checked(name: str, side: str, scores: Scores) -> Tensor:
    """The scores of one name; infinite ones have a place in an order, NaN has none."""
    bad = int(scores[name].isnan().sum())
    if bad:
        raise EvaluationError(f"score '{name}' is NaN for {bad} of {len(scores[name])} {side}")
    return scores[name]


class OutlierDetection:
    """`auroc`, `fpr_at_95_tpr`, `aupr_out` and `aupr_in` of every score, on every outlier set at every intensity."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        return [self._on(context, outliers) for outliers in context.outlier_sets()]

    def _on(self, context: MetricContext, outliers: OutlierSet) -> Measurement:
        inliers = context.real(outliers.items(), outliers.split)
        against = (
            *context.outlier_terms(outliers),
            *context.calibration_terms(),
            Term("direction", "higher is more of an outlier", "higher-out"),
        )

        def protocol(metric: str, positive: str, *own: Term) -> Protocol:
            which = Term("positive", positive, f"positive-{positive}")
            return context.protocol(metric, *against, which, *own, real=inliers)

        precision = Term("area", "average precision", "ap")
        protocols = {
            "auroc": protocol("auroc", "outliers", Term("thresholds", "all", "exact")),
            "auroc_every10th": protocol("auroc", "outliers", Term("thresholds", "every 10th inlier", "every10th")),
            "fpr_at_95_tpr": protocol("fpr_at_95_tpr", "outliers", Term("tpr", FLAGGED / 100, f"tpr{FLAGGED}")),
            "aupr_out": protocol("aupr_out", "outliers", precision),
            "aupr_in": protocol("aupr_in", "inliers", precision),
        }
        evidence = {"inliers": OutlierScores(inliers), "outliers": OutlierScores(outliers)}
        return Measurement(evidence, detection, protocols)
