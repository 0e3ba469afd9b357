from __future__ import annotations

import pytest
import torch
from offering import Noise, measured
from torch import Tensor

from harness.builtin.metrics.frechet import frechet_distance
from harness.builtin.metrics.frechet_classes import LISTED, ClassFrechetDistance, class_counts, ifd
from harness.builtin.metrics.frechet_error import sampling_error
from harness.catalog import Catalog
from harness.errors import EvaluationError
from harness.evaluation import Inapplicable, MetricContext, fit_gaussian


def classes(n: int, seed: int, number: int = 4, d: int = 3, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    """Features of classes that lie apart, and the classes, in no order."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randperm(n, generator=draws) % number
    rows = torch.randn(n, d, generator=draws, dtype=torch.float64)
    return rows + 10.0 * labels[:, None] + shift, labels


def test_is_the_mean_over_classes() -> None:
    (real, labels), (generated, told) = classes(200, 0), classes(160, 1, shift=0.3)
    found = ifd(real=real, labels=labels, generated=generated, told=told)["ifd"]
    each = [frechet_distance(fit_gaussian(real[labels == k]), fit_gaussian(generated[told == k])) for k in range(4)]
    assert found.value == pytest.approx(sum(each) / 4)
    assert [found.details[f"class {k}"] for k in range(4)] == pytest.approx(each)
    assert found.details["real_least"] == found.details["real_most"] == 50
    assert found.details["generated_least"] == found.details["generated_most"] == 40


def test_wrong_conditions_are_seen_where_the_whole_is_right() -> None:
    (real, labels), (generated, told) = classes(400, 0), classes(400, 1)
    right = ifd(real=real, labels=labels, generated=generated, told=told)["ifd"].value
    wrong = ifd(real=real, labels=labels, generated=generated, told=(told + 1) % 4)["ifd"].value
    assert right < 0.5
    assert wrong > 100.0


def test_the_error_is_that_of_a_mean_of_independent_classes() -> None:
    (real, labels), (generated, told) = classes(200, 0), classes(160, 1, shift=0.3)
    squares = []
    for k in range(4):
        rows = generated[told == k]
        error = sampling_error(rows, fit_gaussian(rows), fit_gaussian(real[labels == k]))
        assert error is not None
        squares.append(error**2)
    found = ifd(real=real, labels=labels, generated=generated, told=told)["ifd"]
    assert found.std_error == pytest.approx(sum(squares) ** 0.5 / 4)
    assert found.std_error_of == "sampling"


def test_a_class_with_fewer_samples_than_features_is_remarked_on_and_leaves_no_error() -> None:
    (real, labels), (generated, told) = classes(200, 0, d=45), classes(160, 1, d=45)
    found = ifd(real=real, labels=labels, generated=generated, told=told)["ifd"]
    assert found.remark is not None
    assert found.remark.startswith("40 generated samples for 45 features")
    assert found.std_error is None


def test_many_classes_are_not_listed() -> None:
    number = LISTED + 1
    (real, labels), (generated, told) = classes(3 * number, 0, number), classes(2 * number, 1, number)
    found = ifd(real=real, labels=labels, generated=generated, told=told)["ifd"]
    assert not any(name.startswith("class") for name in found.details)


def test_a_class_on_one_side_only_is_refused() -> None:
    labels, told = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([0, 0, 1, 1])
    with pytest.raises(EvaluationError, match="3 classes and samples were told 2: class 2 has 2 real images and 0 sam"):
        class_counts(labels, told)
    with pytest.raises(EvaluationError, match="2 classes and samples were told 3: class 2 has 0 real images and 2 sam"):
        class_counts(told, labels)


def test_a_class_with_one_item_is_refused_by_name() -> None:
    with pytest.raises(EvaluationError, match="class 1 has 3 real images and 1 samples: .* at least 2 of each"):
        class_counts(torch.tensor([0, 0, 1, 1, 1]), torch.tensor([0, 0, 1]))


def test_is_measured_where_samples_are_told_labels(catalog: Catalog) -> None:
    found = measured(ClassFrechetDistance(), Noise(10), catalog, split="both", samples=300)
    ending = "mean-over-classes,uint8-round,block250,bn-eval]"
    assert list(found) == [
        f"ifd[pixels,native,train,1437x300,{ending}",
        f"ifd[pixels,native,test,360x300,{ending}",
    ]
    assert all(value.details["generated_least"] == 30 for value in found.values())


def test_a_split_without_labels_is_left_out(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MetricContext, "has_labels", lambda offer, split=None: split == "test")
    found = measured(ClassFrechetDistance(), Noise(10), catalog, split="both", samples=300)
    assert [identity.split(",")[2] for identity in found] == ["test"]
    with pytest.raises(Inapplicable, match="data set 'digits' has no labels in train"):
        measured(ClassFrechetDistance(), Noise(10), catalog, samples=300)


@pytest.mark.parametrize("trained", [Noise(), Noise(10, told_labels=False)])
def test_conditions_that_are_no_labels_leave_it_out(trained: Noise, catalog: Catalog) -> None:
    with pytest.raises(Inapplicable, match="samples are not told the data set's labels"):
        measured(ClassFrechetDistance(), trained, catalog)
