from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from torch import Tensor

from harness.builtin.metrics.clusters import Clusters, agreement, contingency, majority_share, matched_share
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import Split, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Inapplicable, MetricContext


def division(n: int, k: int, seed: int) -> Tensor:
    return torch.randint(k, (n,), generator=torch.Generator().manual_seed(seed))


def noisy(labels: Tensor, share: float, k: int, seed: int) -> Tensor:
    """Labels of which a share was replaced at random."""
    generator = torch.Generator().manual_seed(seed)
    replaced = torch.rand(len(labels), generator=generator) < share
    return torch.where(replaced, torch.randint(k, (len(labels),), generator=generator), labels)


def numbers(clusters: Tensor, labels: Tensor) -> dict[str, float]:
    return {key: value.value for key, value in agreement(clusters=clusters, labels=labels).items()}


@pytest.mark.parametrize(("clusters", "share"), [(4, 0.3), (9, 0.5), (2, 0.9)])
def test_information_and_rand_agree_with_scikit_learn(clusters: int, share: float) -> None:
    labels = division(300, 4, 0)
    found_clusters = noisy(labels, share, clusters, 1)
    found = numbers(found_clusters, labels)
    arithmetic, geometric = (
        normalized_mutual_info_score(labels, found_clusters, average_method=mean)
        for mean in ("arithmetic", "geometric")
    )
    assert found["nmi_arithmetic"] == pytest.approx(arithmetic, abs=1e-12)
    assert found["nmi_geometric"] == pytest.approx(geometric, abs=1e-12)
    assert arithmetic != geometric
    assert found["ari"] == pytest.approx(adjusted_rand_score(labels, found_clusters), abs=1e-12)


def test_accuracy_is_the_best_of_all_renumberings() -> None:
    labels = division(100, 4, 0)
    clusters = noisy(labels, 0.6, 4, 1)
    best = max(float((torch.tensor(order)[clusters] == labels).double().mean()) for order in permutations(range(4)))
    assert numbers(clusters, labels)["cluster_accuracy"] == pytest.approx(best)


def test_clusters_without_a_class_count_as_wrong_for_accuracy_and_not_for_purity() -> None:
    counts = torch.tensor([[5, 0], [3, 1], [0, 4]])  # three clusters, two classes
    assert matched_share(counts) == pytest.approx(9 / 13)
    assert majority_share(counts) == pytest.approx(12 / 13)


def test_classes_without_a_cluster_count_as_wrong() -> None:
    counts = torch.tensor([[5, 3, 0], [0, 1, 4]])
    assert matched_share(counts) == pytest.approx(9 / 13)


def test_the_same_division_under_other_numbers_scores_full_marks() -> None:
    labels = division(200, 5, 0)
    clusters = torch.tensor([40, 7, 3, 11, 900])[labels]
    assert numbers(clusters, labels) == pytest.approx(dict.fromkeys(numbers(clusters, labels), 1.0))


def test_one_cluster_says_nothing() -> None:
    labels = torch.arange(100) % 4
    found = numbers(torch.zeros(100, dtype=torch.int64), labels)
    assert found["nmi_arithmetic"] == found["ari"] == 0.0
    assert found["cluster_accuracy"] == found["purity"] == 0.25


def test_a_table_counts_images_by_cluster_and_class() -> None:
    counts = contingency(torch.tensor([5, 5, 9, 9, 9]), torch.tensor([0, 3, 3, 3, 0]))
    assert counts.tolist() == [[1, 1], [1, 2]]


def test_details_say_how_many_clusters_are_in_use() -> None:
    found = agreement(clusters=torch.tensor([0, 7, 7, 3]), labels=torch.tensor([0, 1, 1, 1]))
    assert found["ari"].details == {"clusters_used": 3.0, "classes": 2.0}


@pytest.mark.parametrize(("clusters", "labels"), [(3, 4), (0, 0)])
def test_sides_of_different_length_and_nothing_are_refused(clusters: int, labels: int) -> None:
    with pytest.raises(EvaluationError, match=f"{clusters} clusters of images .* {labels} labels"):
        agreement(clusters=torch.zeros(clusters).long(), labels=torch.zeros(labels).long())


class ByBrightness:
    """Puts dark images in one cluster and bright ones in another."""

    networks: dict[str, Any] = {}  # noqa: RUF012
    subject: dict[str, str] = {}  # noqa: RUF012

    def assign(self, images: Tensor) -> Tensor:
        return (images.mean((1, 2, 3)) > -0.4).long()


@pytest.fixture
def bench(catalog: Catalog) -> Bench:
    return Bench(ByBrightness(), load_dataset(catalog, "digits", Path("unused")), catalog, 0, "cpu")


def test_both_means_are_protocols_of_one_number(bench: Bench) -> None:
    (measurement,) = Clusters().measurements(MetricContext(bench, EvaluationSettings()))
    assert [protocol.id for protocol in measurement.protocols.values()] == [
        "nmi[train,1437,arithmetic]",
        "nmi[train,1437,geometric]",
        "ari[train,1437,adjusted]",
        "cluster_accuracy[train,1437,one-to-one]",
        "purity[train,1437,majority]",
    ]


def test_clusters_and_labels_are_those_of_the_same_images(bench: Bench) -> None:
    (measurement,) = Clusters().measurements(MetricContext(bench, EvaluationSettings(split="test")))
    found = measurement.compute(**{role: bench.get(request) for role, request in measurement.evidence.items()})
    test = bench.dataset.finite("test")
    bright = torch.from_numpy(test.values).double().mean((1, 2, 3)) / 127.5 - 1 > -0.4
    expected = normalized_mutual_info_score(test.labels, bright.numpy())
    assert expected > 0.01
    assert found["nmi_arithmetic"].value == pytest.approx(expected)  # type: ignore[union-attr]


def test_every_split_has_its_numbers(bench: Bench) -> None:
    train, test = Clusters().measurements(MetricContext(bench, EvaluationSettings(split="both")))
    assert [each.protocols["ari"].id for each in (train, test)] == [
        "ari[train,1437,adjusted]",
        "ari[test,360,adjusted]",
    ]
    assert train.counts() == {"clusters": 1437, "labels": 1437}
    assert test.counts() == {"clusters": 360, "labels": 360}


def test_a_split_without_labels_is_left_out(bench: Bench) -> None:
    train = bench.dataset.finite("train")
    bench.dataset._splits["train"] = Split(train.values, None, ())
    (measurement,) = Clusters().measurements(MetricContext(bench, EvaluationSettings(split="both")))
    assert measurement.protocols["ari"].id == "ari[test,360,adjusted]"


def test_without_labels_there_is_nothing_to_hold_clusters_against(bench: Bench) -> None:
    train = bench.dataset.finite("train")
    bench.dataset._splits["train"] = Split(train.values, None, ())
    with pytest.raises(Inapplicable, match="data set 'digits' has no labels in train"):
        Clusters().measurements(MetricContext(bench, EvaluationSettings()))
