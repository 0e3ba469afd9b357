"""Every metric measures all folds of one whole under one protocol, field by field, and no others under it.

What looks at no data (a path in latent space, the entropy of a scale) has no data set in its protocol, and no folds.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import Catalog, open_catalog
from harness.contracts.settings import EvaluationSettings
from harness.contracts.specs import MetricSpec
from harness.data import Fold, LoadedDataset, Split, load_dataset
from harness.doctor.cases import BASELINE, Cases
from harness.errors import EvaluationError
from harness.evaluation import Bench, MetricContext
from harness.evaluation.plan import plan

CATALOG = open_catalog()

#: numbers that are of the generator alone
DATA_FREE = {"mc", "ttmc", "jacobian_rank", "latent_entropy", "ppl"}

METRICS = [spec for spec in CATALOG.all("metric") if isinstance(spec, MetricSpec)]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    return Cases(CATALOG, tmp_path_factory.mktemp("cases"))


def cut(catalog: Catalog, like: LoadedDataset, fold: str | None, fraction: float) -> LoadedDataset:
    """The data set of a case with a fold, of the same size of images."""
    chosen = None if fold is None else Fold.parse(fold)
    data = load_dataset(catalog, like.name, like.root, fold=chosen, fraction=fraction)
    if data.spec.kind == "images" and like.finite("train").values.shape[2] == 16:
        larger = {name: data.finite(name).values.repeat(2, 2).repeat(2, 3) for name in ("train", "test")}
        splits: dict[str, Any] = {name: replace(data.finite(name), values=values) for name, values in larger.items()}
        data = replace(data, _splits=splits, _training=None)
    return data


def protocols(spec: MetricSpec, case: Any, fold: str | None, fraction: float) -> list[dict[str, Any]]:
    """Every field, and the id, of all that a metric measures."""
    data = cut(CATALOG, case.dataset, fold, fraction)
    bench = Bench(case.trained, data, CATALOG, 0, "cpu")
    # both splits, all their items, and nearly as many neighbours
    settings = EvaluationSettings(metrics=(spec.name,), outliers=case.outliers, split="both")
    try:
        planned = [measurement for _, measurement in plan(bench, MetricContext(bench, settings))]
    except EvaluationError as error:
        if "has no weights" in error.problem:
            pytest.skip(error.problem)
        raise
    return [{**p.record(), "id": p.id} for measurement in planned for p in measurement.protocols.values()]


@pytest.mark.parametrize("fraction", [1.0, 0.9])  # 0.9 of 1540 and of 1541 are not the same number
@pytest.mark.parametrize("spec", METRICS, ids=[spec.name for spec in METRICS])
def test_all_folds_have_one_protocol_and_other_wholes_another(spec: MetricSpec, cases: Cases, fraction: float) -> None:
    offered = cases.of("images" if "images" in spec.kinds else "points", spec.requires)
    if BASELINE not in offered:
        pytest.skip("no case is at hand")
    case = offered[BASELINE]()
    if fraction != 1.0 and not isinstance(case.dataset.split("train"), Split):
        pytest.skip("a law has no fraction")
    # 1797 images: the first fold of seven has 256, the second 257
    first, second = (protocols(spec, case, fold, fraction) for fold in ("1/7", "2/7"))
    assert first
    assert first == second
    of_data = [each for each in first if "dataset" in each]
    assert {each["metric"] for each in first if each not in of_data} <= DATA_FREE
    for other in ("1/5", None):
        ids = {each["id"] for each in protocols(spec, case, other, fraction)}
        assert ids.isdisjoint(each["id"] for each in of_data)
    assert {each["folds"] for each in of_data} <= {7}


def test_the_folds_here_are_of_different_sizes(tmp_path: Path) -> None:
    sizes = [len(load_dataset(CATALOG, "digits", tmp_path, fold=Fold(n, 7)).finite("test")) for n in (1, 2)]
    assert sizes == [256, 257]
