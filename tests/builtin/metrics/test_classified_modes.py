from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from offering import Noise, measured, offering
from scipy.stats import entropy

from harness.builtin.metrics.classified_modes import (
    ClassifiedModes,
    class_counts,
    divergence_from_labels,
    divergence_from_uniform,
    largest_probability,
    recovered,
    sure,
)
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset, Split, load_dataset
from harness.doctor.disturbances import fewer_modes
from harness.doctor.patients import Replay
from harness.errors import EvaluationError
from harness.evaluation import Bench, Inapplicable, MetricContext


def answers(*classes: int, of: int = 4, gap: float = 9.0) -> torch.Tensor:
    """Logits that are sure of these classes."""
    return torch.nn.functional.one_hot(torch.tensor(classes), of) * gap


def test_a_class_is_recovered_by_one_sample() -> None:
    found = recovered(generated=answers(0, 0, 3))["modes"]
    assert found.value == 2
    assert found.details == {"of": 4}


def test_classes_are_counted_over_all_that_there_are() -> None:
    assert class_counts(answers(0, 0, 3, of=5)).tolist() == [2, 0, 0, 1, 0]


def test_high_quality_is_the_share_of_sure_answers_in_percent() -> None:
    p = torch.tensor([[0.91, 0.05, 0.04], [0.89, 0.06, 0.05], [0.2, 0.7, 0.1], [0.01, 0.01, 0.98]], dtype=torch.float64)
    np.testing.assert_allclose(largest_probability(p.log() + 7), [0.91, 0.89, 0.7, 0.98])
    found = sure(0.9, generated=p.log())["high_quality_pct"]
    assert found.value == 50.0
    assert found.std_error == pytest.approx(100 * math.sqrt(0.25 / 4))


def test_probabilities_of_far_logits_do_not_overflow() -> None:
    assert largest_probability(torch.tensor([[1e4, 0.0], [-1e4, -1e4]])).tolist() == [1.0, 0.5]


def test_divergence_is_from_equal_shares_or_from_those_of_the_labels() -> None:
    logits, labels = answers(0, 0, 1, 3, of=4), torch.tensor([0, 0, 0, 1, 2, 3])
    uniform = divergence_from_uniform(generated=logits)
    assert uniform["reverse_kl_nats"].value == pytest.approx(entropy([0.5, 0.25, 0, 0.25], [0.25] * 4))
    assert uniform["reverse_kl_log10"].value == pytest.approx(entropy([0.5, 0.25, 0, 0.25], [0.25] * 4, base=10))
    from_labels = divergence_from_labels(generated=logits, labels=labels)["reverse_kl_nats"]
    assert from_labels.value == pytest.approx(entropy([0.5, 0.25, 0, 0.25], [1 / 2, 1 / 6, 1 / 6, 1 / 6]))


def test_classes_that_only_one_side_has_are_named() -> None:
    with pytest.raises(EvaluationError, match="classified as class 3, which none of 2 labels is"):
        divergence_from_labels(generated=answers(0, 3), labels=torch.tensor([0, 1]))
    with pytest.raises(EvaluationError, match="labels go up to 4, but the classifier knows 4 classes"):
        divergence_from_labels(generated=answers(0, 3), labels=torch.arange(5))


def test_no_samples_are_refused() -> None:
    for compute in (recovered, divergence_from_uniform):
        with pytest.raises(EvaluationError, match="at least 1 sample, not 0"):
            compute(generated=torch.zeros(0, 4))


def test_every_number_says_which_classifier_counted_and_against_what(catalog: Catalog) -> None:
    digits = load_dataset(catalog, "digits", Path("unused"))
    found = measured(ClassifiedModes(), Replay(digits.finite("test")), catalog, samples=300, extractors=None)
    by = "digits-cnn,native"
    made = "uint8-round,block250,bn-eval"
    assert list(found) == [
        f"modes[{by},300,{made}]",
        f"high_quality_pct[{by},300,confidence0.9,{made}]",
        f"reverse_kl[{by},300,nats,uniform,{made}]",
        f"reverse_kl[{by},300,log10,uniform,{made}]",
        f"reverse_kl[{by},train,1437x300,nats,labels,{made}]",
    ]
    modes, quality, nats, log10, labels = (value.value for value in found.values())
    assert modes == 10
    assert quality > 90
    assert nats < 0.05
    assert log10 == pytest.approx(nats / math.log(10))
    assert labels != nats


def test_dropped_modes_are_missed_and_noise_is_unsure(catalog: Catalog) -> None:
    test = load_dataset(catalog, "digits", Path("unused")).finite("test")
    few = measured(ClassifiedModes(), Replay(fewer_modes(test, 3)), catalog, samples=300, extractors=None)
    noise = measured(ClassifiedModes(), Noise(), catalog, samples=300, extractors=None)
    kl = "reverse_kl[digits-cnn,native,300,nats,uniform,uint8-round,block250,bn-eval]"
    assert few[kl].value > math.log(10 / 4)
    quality = "high_quality_pct[digits-cnn,native,300,confidence0.9,uint8-round,block250,bn-eval]"
    assert noise[quality].value < few[quality].value - 20


def test_a_classifier_of_other_data_counts_nothing_here(catalog: Catalog, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", arr_0=np.zeros((9, 8, 8, 1), dtype=np.uint8))
    other = load_dataset(catalog, f"npz:{tmp_path}/x.npz", tmp_path)
    bench = Bench(Noise(), other, catalog, 0, "cpu")
    with pytest.raises(Inapplicable, match="no extractor in use is a classifier of data set 'npz'"):
        ClassifiedModes().measurements(MetricContext(bench, EvaluationSettings(extractors=("digits-cnn",))))


def test_features_that_are_no_classifier_count_nothing(catalog: Catalog) -> None:
    with pytest.raises(Inapplicable, match=r"no extractor in use \(pixels\) gives logits"):
        ClassifiedModes().measurements(offering(Noise(), catalog)[1])


def test_a_class_without_labels_leaves_out_the_comparison_with_them(catalog: Catalog) -> None:
    digits = load_dataset(catalog, "digits", Path("unused"))
    train = digits.finite("train")
    assert train.labels is not None
    some = train.subset(np.flatnonzero(train.labels != 4))
    unlabelled = Split(train.values, None, ())
    for split in (some, unlabelled):
        holding = LoadedDataset("digits", digits.spec, digits.root, catalog, _splits={"train": split})
        bench = Bench(Noise(), holding, catalog, 0, "cpu")
        measurements = ClassifiedModes().measurements(MetricContext(bench, EvaluationSettings(samples=100)))
        assert [list(each.evidence) for each in measurements] == [["generated"]] * 3


def test_the_stacked_test_set_has_nearly_all_modes_and_sits_near_its_floor(catalog: Catalog, real_data: Path) -> None:
    stacked = load_dataset(catalog, "stacked_mnist", real_data)
    test = stacked.finite("test")
    splits = {"train": test, "test": test}  # the training split would take a second to draw
    holding = LoadedDataset("stacked_mnist", stacked.spec, real_data, catalog, _splits=splits)
    settings = EvaluationSettings(samples=10_000, extractors=("stacked-mnist-cnn",))
    bench = Bench(Replay(test), holding, catalog, 0, "cpu")
    logits = None
    found = {}
    for measurement in ClassifiedModes().measurements(MetricContext(bench, settings)):
        made = {role: bench.get(request) for role, request in measurement.evidence.items()}
        logits = made["generated"]
        found |= measurement.compute(**made)
    assert logits is not None
    assert float((logits.argmax(1).numpy() == test.labels).mean()) > 0.97
    assert found["modes"].value >= 995
    assert found["modes"].details["of"] == 1000
    # the floor for 10,000 samples, and the uneven numbers of the digits
    counted = divergence_from_uniform(generated=logits)
    assert counted["reverse_kl_nats"].details["floor"] == pytest.approx(0.04995)
    assert counted["reverse_kl_nats"].value == pytest.approx(0.04995 + 0.0043, abs=0.012)
