from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toy_metrics

from harness.catalog import Catalog
from harness.contracts.capabilities import Samples
from harness.contracts.settings import EvaluationSettings
from harness.contracts.stream import as_float
from harness.data import LoadedDataset, Modes, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import MetricEntry, differences, evaluate
from harness.plugins import Plugins
from harness.randomness import Seeds

Toy = Callable[..., Any]


class Replayed:
    """A method that knows the data by heart and plays some items of it, over and over."""

    networks: dict[str, Any] = {}  # noqa: RUF012
    subject: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, values: torch.Tensor) -> None:
        self.values = values

    def sample(self, seeds: Seeds, conditions: torch.Tensor | None = None) -> Samples:
        index = torch.from_numpy(seeds.indices) % len(self.values)
        return Samples(self.values[index], None, torch.zeros(len(seeds), 1))


def measure(trained: Any, dataset: LoadedDataset, catalog: Catalog, **settings: Any) -> list[MetricEntry]:
    chosen = EvaluationSettings(**{"samples": 600, "neighbours_samples": 600} | settings)
    return evaluate(trained, dataset=dataset, settings=chosen, catalog=catalog, seed=5, device="cpu")


def values(entries: list[MetricEntry], extractor: str = "digits-cnn") -> dict[str, float]:
    return {e.metric: e.value for e in reversed(entries) if e.protocol.get("extractor", extractor) == extractor}


def images_of(dataset: LoadedDataset, split: str = "train") -> torch.Tensor:
    return as_float(torch.from_numpy(dataset.finite(split).values))


def test_an_entry_says_all_about_its_number(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    entries = evaluate(
        toy((1, 8, 8)),
        dataset=digits,
        settings=EvaluationSettings(samples=300, metrics=("fd",), extractors=("digits-cnn",)),
        catalog=catalog,
        seed=5,
        device="cpu",
        subject={"checkpoint": "last"},
        replicate={"seed": 5, "fold": None},
    )
    (entry,) = entries
    assert entry.protocol_id == "fd[digits-cnn,native,train,1437x300,uint8-round,block250,bn-eval]"
    assert entry.subject == {"weights": "ema", "checkpoint": "last"}
    assert entry.replicate == {"seed": 5, "fold": None}
    assert entry.counts == {"real": 1437, "generated": 300}
    assert entry.higher_is_better is False
    assert entry.seconds > 0
    assert entry.protocol["dataset"] == "digits"
    assert entry.protocol["real_checksum"] == digits.finite("train").checksum
    assert entry.protocol["extractor_sha256"] == catalog.extractor("digits-cnn").weights.sha256  # type: ignore[union-attr]


def test_the_same_request_gives_the_same_numbers(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    first, second = (measure(toy((1, 8, 8)), digits, catalog) for _ in range(2))
    assert [(e.protocol_id, e.value) for e in first] == [(e.protocol_id, e.value) for e in second]


def test_naming_a_metric_does_not_change_its_value(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    every = {e.protocol_id: e.value for e in measure(toy((1, 8, 8)), digits, catalog, neighbours_samples=300)}
    for name in ("fd", "is", "recall"):
        for entry in measure(toy((1, 8, 8)), digits, catalog, neighbours_samples=300, metrics=(name,)):
            assert entry.value == pytest.approx(every[entry.protocol_id], rel=1e-12)


def test_all_metrics_and_extractors_take_one_sampling_pass(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    sampler = toy((1, 8, 8))
    measure(sampler, digits, catalog, neighbours_samples=200, block=100)
    assert sampler.sizes == [100] * 6


@pytest.mark.parametrize("batch_norm", ["eval", "standing"])
def test_networks_and_random_generators_are_undisturbed(
    toy: Toy, digits: LoadedDataset, catalog: Catalog, batch_norm: str
) -> None:
    sampler = toy((1, 8, 8))
    sampler.net.train()
    before = {name: value.clone() for name, value in sampler.net.state_dict().items()}
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    matmul = torch.get_float32_matmul_precision()
    measure(sampler, digits, catalog, batch_norm=batch_norm)
    assert all(torch.equal(value, before[name]) for name, value in sampler.net.state_dict().items())
    assert sampler.net.training
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert torch.get_float32_matmul_precision() == matmul
    assert not torch.backends.cudnn.deterministic


def test_the_training_data_itself_scores_as_it_must(digits: LoadedDataset, catalog: Catalog) -> None:
    found = values(measure(Replayed(images_of(digits)), digits, catalog, samples=1437, neighbours_samples=1437))
    assert found["fd"] < 1e-6
    assert found["precision"] == found["recall"] == found["coverage"] == 1.0


def test_each_metric_moves_the_way_that_it_must(digits: LoadedDataset, catalog: Catalog) -> None:
    split = digits.finite("test")
    held_out = images_of(digits, "test")
    assert split.labels is not None
    noise = torch.randn(held_out.shape, generator=torch.Generator().manual_seed(0))
    good = values(measure(Replayed(held_out), digits, catalog, samples=360))
    dropped = values(measure(Replayed(held_out[split.labels < 3]), digits, catalog, samples=360))
    noisy = values(measure(Replayed((held_out + 0.6 * noise).clamp(-1, 1)), digits, catalog, samples=360))
    assert dropped["fd"] > good["fd"] + 10
    assert dropped["is"] < 0.5 * good["is"]
    assert dropped["recall"] < good["recall"] - 0.3
    assert dropped["coverage"] < good["coverage"] - 0.2
    assert dropped["precision"] > 0.7
    assert noisy["fd"] > good["fd"] + 10
    assert noisy["precision"] < good["precision"] - 0.3
    assert noisy["density"] < good["density"] - 0.3


def test_points_from_the_law_itself_score_as_they_must(ring2d: LoadedDataset, catalog: Catalog) -> None:
    points = torch.from_numpy(ring2d.finite("train").values[:5000])
    entries = measure(Replayed(points), ring2d, catalog, samples=5000)
    found = {entry.protocol_id.partition(",block")[0]: entry.value for entry in entries}
    assert found["modes[5000,box3std"] == 8
    assert found["modes[5000,disc3std"] == 8
    # within three standard deviations of a normal law: 0.9973^2 in the box, 1 - exp(-4.5) in the disc
    assert found["high_quality_pct[5000,box3std"] == pytest.approx(100 * 0.9973002**2, abs=0.35)
    assert found["high_quality_pct[5000,disc3std"] == pytest.approx(100 * (1 - np.exp(-4.5)), abs=0.5)
    assert found["reverse_kl[5000,nats,nearest"] < 0.005


def test_reverse_kl_is_held_against_the_true_weights(
    ring2d: LoadedDataset, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    uneven = np.array([0.3, 0.3, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    even = ring2d.modes()
    assert even is not None
    monkeypatch.setattr(LoadedDataset, "modes", lambda self: Modes(even.means, even.std, uneven))
    which = np.repeat(np.arange(8), (uneven * 200).round().astype(int))
    points = torch.from_numpy(even.means[which]).float()
    for entry in measure(Replayed(points), ring2d, catalog, samples=200, metrics=("reverse_kl",)):
        assert entry.value == pytest.approx(0.0, abs=1e-9)


def test_two_real_sets_of_one_size_are_told_apart_by_the_protocol(
    toy: Toy, digits: LoadedDataset, catalog: Catalog
) -> None:
    train, test = (
        measure(toy((1, 8, 8)), digits, catalog, split=split, metrics=("precision",), neighbours_samples=300)[0]
        for split in ("train", "test")
    )
    assert {d.field for d in differences(train.protocol, test.protocol)} == {"split", "real_checksum"}


def test_too_few_samples_are_an_error_that_says_what_to_raise(
    toy: Toy, digits: LoadedDataset, catalog: Catalog
) -> None:
    for metric, samples, words in (
        ("fd", 1, "at least 2 generated items are needed, not 1"),
        ("precision", 5, "at least 6 generated items are needed, not 5"),
        ("is", 19, "at least 20 generated items are needed, not 19"),
    ):
        with pytest.raises(EvaluationError, match=words):
            measure(toy((1, 8, 8)), digits, catalog, metrics=(metric,), samples=samples)


def test_too_few_real_neighbours_are_an_error(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    with pytest.raises(EvaluationError, match="at least 6 real items are needed, not 4; raise --set"):
        measure(toy((1, 8, 8)), digits, catalog, metrics=("recall",), neighbours_samples=4)


def test_padded_mnist_gives_the_same_features_as_mnist(real_data: Path, catalog: Catalog) -> None:
    plain = load_dataset(catalog, "mnist", real_data)
    padded = load_dataset(catalog, "mnist", real_data, fit="pad", backbone="biggan")
    assert padded.problem().shape == (1, 32, 32)
    found = [
        measure(
            Replayed(images_of(dataset, "test")[:500]),
            dataset,
            catalog,
            split="test",
            samples=500,
            metrics=("precision", "density"),
            extractors=("mnist-cnn",),
        )
        for dataset in (plain, padded)
    ]
    assert [entry.value for entry in found[0]] == [entry.value for entry in found[1]]
    assert found[0][0].protocol["fit"] != found[1][0].protocol["fit"]


class Learned:
    """A method that learned a prior over two conditions."""

    networks: dict[str, Any] = {}  # noqa: RUF012
    subject: dict[str, str] = {"weights": "raw"}  # noqa: RUF012

    def __init__(self, **numbers: Any) -> None:
        self.numbers = numbers

    def reported(self) -> dict[str, Any]:
        return self.numbers


def test_a_plugins_metric_measures_what_a_method_reports(
    digits: LoadedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy_metrics, "OFFERED", [toy_metrics.prior_entropy()])
    catalog = Catalog(Plugins(found=[EntryPoint("toy", "toy_metrics", "harness")]))
    trained = Learned(prior=torch.tensor([0.25, 0.75]), gap=0.5)
    for named in ({}, {"metrics": ("prior_entropy",)}):
        (entry,) = measure(trained, digits, catalog, **named)
        assert entry.value == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75), rel=1e-12)
        assert (entry.metric, entry.protocol_id) == ("prior_entropy", "prior_entropy[nats]")
        assert entry.subject == {"weights": "raw"}
        assert MetricEntry.model_validate(entry.model_dump(mode="json")) == entry  # as the record keeps it
    assert measure(Learned(gap=0.5), digits, catalog) == []
    said = r"^metric 'prior_entropy' cannot be measured here: the method does not report 'prior' \(it reports: gap\)$"
    with pytest.raises(EvaluationError, match=said):
        measure(Learned(gap=0.5), digits, catalog, metrics=("prior_entropy",))
    with pytest.raises(EvaluationError, match="^reported 'prior' is NaN or infinite in 1 of 2 numbers$"):
        measure(Learned(prior=torch.tensor([0.5, torch.nan])), digits, catalog, metrics=("prior_entropy",))
