from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from harness.builtin.metrics.outliers import OutlierDetection, detection
from harness.builtin.metrics.ranking import auroc_every_nth
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import load_dataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Inapplicable, MetricContext, Value


def scores(n: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def only(found: Mapping[str, list[Value]]) -> dict[str, float]:
    return {key: value.value for key, (value,) in found.items()}


def test_outliers_are_positive_and_score_higher() -> None:
    inliers, outliers = scores(200, 0), scores(150, 1, 1.5)
    found = only(detection(inliers={"nll": inliers}, outliers={"nll": outliers}))
    truth = torch.cat([torch.zeros(200), torch.ones(150)]).numpy()
    values = torch.cat([inliers, outliers]).numpy()
    assert found["auroc"] == pytest.approx(roc_auc_score(truth, values), abs=1e-12)
    assert found["aupr_out"] == pytest.approx(average_precision_score(truth, values), abs=1e-12)
    assert found["aupr_in"] == pytest.approx(average_precision_score(1 - truth, -values), abs=1e-12)
    assert found["auroc_every10th"] == auroc_every_nth(outliers, inliers, 10)
    assert found["auroc_every10th"] != found["auroc"]
    threshold = outliers.sort(descending=True).values[142]  # 143 of 150 are the first to reach 95 %
    assert found["fpr_at_95_tpr"] == pytest.approx(float((inliers >= threshold).double().mean()))


def test_perfect_and_reversed_scores_are_the_extremes() -> None:
    low, high = {"s": torch.zeros(30)}, {"s": torch.ones(30)}
    perfect, reversed_ = only(detection(inliers=low, outliers=high)), only(detection(inliers=high, outliers=low))
    assert perfect["auroc"] == perfect["auroc_every10th"] == perfect["aupr_out"] == perfect["aupr_in"] == 1.0
    assert perfect["fpr_at_95_tpr"] == 0.0
    assert reversed_["auroc"] == 0.0
    assert reversed_["fpr_at_95_tpr"] == 1.0


def test_each_score_has_numbers_of_its_own() -> None:
    inliers = {"nll": torch.zeros(20), "rec": torch.zeros(20)}
    outliers = {"nll": torch.ones(20), "rec": torch.zeros(20)}
    found = detection(inliers=inliers, outliers=outliers)
    assert [(value.subject["score"], value.value) for value in found["auroc"]] == [("nll", 1.0), ("rec", 0.5)]
    assert all(len(values) == 2 for values in found.values())


def test_only_the_exact_area_has_a_standard_error() -> None:
    found = detection(inliers={"s": scores(50, 0)}, outliers={"s": scores(50, 1)})
    assert [key for key, (value,) in found.items() if value.std_error is not None] == ["auroc"]
    assert found["auroc"][0].std_error_of == "sampling"


def test_infinite_scores_are_taken_and_nan_is_refused() -> None:
    endless = torch.tensor([1.0, float("inf"), 3.0])
    assert only(detection(inliers={"s": torch.zeros(3)}, outliers={"s": endless}))["auroc"] == 1.0
    with pytest.raises(EvaluationError, match="score 's' is NaN for 1 of 3 outliers"):
        detection(inliers={"s": torch.zeros(3)}, outliers={"s": torch.tensor([1.0, float("nan"), 3.0])})


def test_sides_with_different_scores_are_refused() -> None:
    with pytest.raises(EvaluationError, match="inliers have scores a, outliers b"):
        detection(inliers={"a": torch.zeros(3)}, outliers={"b": torch.zeros(3)})


class Brightness:
    """Says that dark images are outliers, and forgets nothing about which is which."""

    networks: dict[str, Any] = {}  # noqa: RUF012
    subject: dict[str, str] = {}  # noqa: RUF012

    def outlier_scores(self, images: Tensor) -> dict[str, Tensor]:
        return {"dark": -images.mean((1, 2, 3)), "bright": images.mean((1, 2, 3))}


def offer_of(catalog: Catalog, **settings: Any) -> tuple[Bench, MetricContext]:
    bench = Bench(Brightness(), load_dataset(catalog, "digits", Path("unused")), catalog, 0, "cpu")
    return bench, MetricContext(bench, EvaluationSettings(**settings))


def test_every_outlier_set_is_measured_on_held_out_images(catalog: Catalog) -> None:
    _, offer = offer_of(catalog, outliers=("digits",), intensities=(1.0, 0.5))
    ids = [protocol.id for each in OutlierDetection().measurements(offer) for protocol in each.protocols.values()]
    start = "test,360,digits,intensity1,higher-out"
    assert ids[:5] == [
        f"auroc[{start},positive-outliers,exact]",
        f"auroc[{start},positive-outliers,every10th]",
        f"fpr_at_95_tpr[{start},positive-outliers,tpr95]",
        f"aupr_out[{start},positive-outliers,ap]",
        f"aupr_in[{start},positive-inliers,ap]",
    ]
    assert ids[5] == "auroc[test,360,digits,intensity0.5,higher-out,positive-outliers,exact]"
    assert len(set(ids)) == 10


def test_images_of_the_same_data_cannot_be_told_apart(catalog: Catalog) -> None:
    bench, offer = offer_of(catalog, outliers=("digits",))
    (measurement,) = OutlierDetection().measurements(offer)
    assert measurement.counts() == {"inliers": 360, "outliers": 360}
    found = measurement.compute(**{role: bench.get(request) for role, request in measurement.evidence.items()})
    assert {value.subject["score"]: value.value for value in found["auroc"]} == pytest.approx(  # type: ignore[union-attr]
        {"dark": 0.5, "bright": 0.5}
    )


def test_without_outliers_there_is_nothing_to_measure(catalog: Catalog) -> None:
    with pytest.raises(Inapplicable, match="no outlier set is named"):
        OutlierDetection().measurements(offer_of(catalog)[1])


class Calibrated(Brightness):
    """Needs a look at images before; it says of which split, or does not."""

    def __init__(self, **said: str) -> None:
        self.__dict__ |= said

    def calibrate(self, blocks: object) -> None: ...


def test_only_scores_that_test_images_calibrated_say_so(catalog: Catalog) -> None:
    found = []
    for trained in (Brightness(), Calibrated(), Calibrated(calibrated_on="test")):
        digits = load_dataset(catalog, "digits", Path("unused"))
        offer = MetricContext(Bench(trained, digits, catalog, 0, "cpu"), EvaluationSettings(outliers=("digits",)))
        (measurement,) = OutlierDetection().measurements(offer)
        found.append(measurement.protocols["auroc"])
    never, by_training, by_test = found
    assert by_training == never
    assert by_test.id == never.id.replace(",higher-out,", ",calibrated-test,higher-out,") != never.id
    assert by_test.record()["calibrated_on"] == "test"
