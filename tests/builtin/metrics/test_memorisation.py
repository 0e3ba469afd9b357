from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from harness.builtin.metrics.memorisation import Memorisation, halved_ratios, memorisation
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset, Split, load_dataset
from harness.doctor.patients import Replay
from harness.errors import EvaluationError
from harness.evaluation import Bench, Inapplicable, MetricContext, MetricEntry, RealSet, Value
from harness.randomness import keyed

#: features, so many that distances hardly vary from draw to draw
SIZE = 100


def drawn(count: int, seed: int, centre: float = 0.0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(centre, 1.0, (count, SIZE)))


def copies(training: torch.Tensor, count: int) -> torch.Tensor:
    return training[torch.from_numpy(keyed("copies").integers(len(training), size=count))]


def ratio(generated: torch.Tensor, training: torch.Tensor, held_out: torch.Tensor) -> Value:
    return memorisation(generated=generated, training=training, held_out=held_out)["memorisation_ratio"]


@pytest.mark.parametrize("parts", [1, 4])
def test_copies_come_out_where_they_should_and_raise_the_alarm(parts: int) -> None:
    training = drawn(300 * parts, 0)
    found = ratio(copies(training, 300), training, drawn(300, 1))
    assert found.value == pytest.approx((2 - 1 / parts) / (2 + 1 / parts), abs=0.1)
    assert found.remark is not None
    assert found.value < found.details["alarm_below"]


@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_fresh_samples_come_out_near_one_whether_or_not_their_law_is_right(parts: int, shift: float) -> None:
    found = ratio(drawn(300, 7) + shift, drawn(300 * parts, 0), drawn(300, 1))
    assert found.value == pytest.approx(1.0, abs=0.1)
    assert found.remark is None


def test_test_images_of_another_law_are_no_sign_of_copies() -> None:
    found = ratio(drawn(300, 7), drawn(1200, 0), drawn(300, 1, centre=0.3))
    assert found.value < 0.8
    assert found.remark is None
    assert found.details["without_copies"] == pytest.approx(found.value, abs=0.1)


def test_test_images_that_happen_to_be_near_alarm_nobody_whose_samples_are_far_from_both() -> None:
    training = drawn(600, 0)
    near = training[:300].mean(0) + 0.5 * (training[:300] - training[:300].mean(0))
    found = ratio(drawn(300, 7) + 3.0, training, torch.cat([near[:150], training[300:450]]))
    assert found.details["without_copies"] > 1.2
    assert found.details["alarm_below"] < 0.95
    assert found.value < 1.0
    assert found.remark is None


def test_the_ratio_is_that_of_the_two_distances() -> None:
    samples = drawn(50, 1)
    assert ratio(samples, samples + 3, samples + 1).value == pytest.approx(9.0)
    training = torch.cat([samples + 3, samples - 1])
    assert ratio(samples, training, samples + 1).value == pytest.approx(5.0)


def test_the_error_over_parts_is_none_for_a_single_one() -> None:
    assert ratio(drawn(60, 7), drawn(60, 0), drawn(60, 1)).std_error is None
    found = ratio(drawn(60, 7), drawn(240, 0), drawn(60, 1))
    assert found.std_error_of == "subsets"
    assert found.std_error is not None
    assert 0 < found.std_error < 0.2


def test_halves_share_no_image() -> None:
    """Two points: one half is always one of them, and the other half the other."""
    training = torch.arange(8, dtype=torch.float64)[:, None] ** 3
    found = halved_ratios(training, training[:4] + 0.1, 20)
    assert (found > 0).all()
    assert torch.equal(found, halved_ratios(training, training[:4] + 0.1, 20))
    assert len(found.unique()) > 10


def test_samples_that_are_the_test_images_have_a_large_ratio_that_says_why() -> None:
    test = drawn(300, 1)
    found = ratio(test, drawn(300, 0), test)
    assert 1e6 < found.value < 1e12
    assert found.remark is not None
    assert "the same features, but for rounding" in found.remark


def test_constant_images_have_no_ratio() -> None:
    same = torch.zeros(10, 3)
    with pytest.raises(EvaluationError, match="no ratio can be made of them"):
        ratio(same, drawn(10, 0)[:, :3], same)


# -- on images -----------------------------------------------------------------------------------


def measured(trained: Any, dataset: LoadedDataset, **settings: Any) -> dict[str, Value]:
    chosen = EvaluationSettings.model_validate({"samples": 360, "extractors": ("pixels",)} | settings)
    bench = Bench(trained, dataset, dataset.catalog, 0, "cpu")
    found: dict[str, Value] = {}
    for measurement in Memorisation().measurements(MetricContext(bench, chosen)):
        values = measurement.compute(**{role: bench.get(each) for role, each in measurement.evidence.items()})
        found |= {protocol.id: values[key] for key, protocol in measurement.protocols.items()}
    return found


@pytest.fixture(scope="module")
def quarter(catalog: Catalog) -> LoadedDataset:
    """A quarter of the digits to train on, as many as there are test images."""
    return load_dataset(catalog, "digits", Path("unused"), fraction=0.25)


def unseen(dataset: LoadedDataset) -> Split:
    """Training images that the fraction left out."""
    whole, kept = dataset.finite("train"), dataset.training()
    assert isinstance(kept, Split)
    seen = {image.tobytes() for image in kept.values}
    return whole.subset(np.array([n for n, image in enumerate(whole.values) if image.tobytes() not in seen]))


def test_copies_of_what_was_trained_on_raise_both_alarms(quarter: LoadedDataset) -> None:
    kept = quarter.training()
    assert isinstance(kept, Split)
    found = measured(Replay(kept), quarter)
    made = "uint8-round,block250,bn-eval"
    assert list(found) == [
        f"memorisation_ratio[pixels,native,test,359x359,train1x359,{made}]",
        f"authenticity_pct[pixels,native,test,360x360,train359,{made}]",
    ]
    apart, authentic = found.values()
    assert apart.value < 0.2
    assert authentic.value == 0.0
    assert apart.remark is not None
    assert authentic.remark is not None
    assert_copies_are_beside_what_they_copy(authentic)


def test_real_images_that_were_not_trained_on_raise_none(quarter: LoadedDataset) -> None:
    apart, authentic = measured(Replay(unseen(quarter)), quarter).values()
    assert apart.value == pytest.approx(1.0, abs=0.3)
    assert authentic.value == pytest.approx(authentic.details["held_out_pct"], abs=10)
    assert (apart.remark, authentic.remark) == (None, None)


def test_copies_of_a_whole_split_are_found_and_shown(catalog: Catalog) -> None:
    digits = load_dataset(catalog, "digits", Path("unused"))
    train = digits.finite("train")
    found = measured(Replay(train), digits, samples=300, neighbours_samples=200)
    made = "uint8-round,block250,bn-eval"
    assert list(found) == [
        f"memorisation_ratio[pixels,native,test,300x300,train4x300,{made}]",
        f"authenticity_pct[pixels,native,test,200x200,train1437,{made}]",
    ]
    apart, authentic = found.values()
    assert apart.std_error is not None  # over the four parts
    assert authentic.value == 0.0
    assert_copies_are_beside_what_they_copy(authentic)


def assert_copies_are_beside_what_they_copy(found: Value) -> None:
    """In the picture, the first neighbour of each sample is the same image."""
    shown = np.asarray(Image.open(io.BytesIO(found.figures["nearest-training-images-pixels"])))
    assert shown.shape[0] == 12 * 34 - 2
    for row in range(12):
        sample, neighbour = (shown[row * 34 : row * 34 + 32, start : start + 32] for start in (0, 42))
        assert (sample == neighbour).all()


def test_the_protocol_says_which_images_were_trained_on(quarter: LoadedDataset, catalog: Catalog) -> None:
    bench = Bench(Replay(unseen(quarter)), quarter, catalog, 0, "cpu")
    offer = MetricContext(bench, EvaluationSettings(samples=100, extractors=("pixels",)))
    for measurement in Memorisation().measurements(offer):
        (protocol,) = measurement.protocols.values()
        assert protocol.record()["training_checksum"] == quarter.training().checksum
        assert protocol.record()["split"] == "test"


def test_a_picture_does_not_make_the_whole_sample_be_stored(catalog: Catalog) -> None:
    digits = load_dataset(catalog, "digits", Path("unused"))
    bench = Bench(Replay(digits.finite("train")), digits, catalog, 0, "cpu")
    offer = MetricContext(bench, EvaluationSettings(samples=300, extractors=("pixels",)))
    measurements = Memorisation().measurements(offer)
    bench.expect(request for each in measurements for request in each.evidence.values())
    for each in measurements:
        for request in each.evidence.values():
            bench.get(request)
    assert not bench.holds(offer.generated())
    assert not bench.holds(RealSet("train", 1437))


def test_copies_of_any_split_that_was_trained_on_are_found(catalog: Catalog) -> None:
    digits = load_dataset(catalog, "digits", Path("unused"), train_split="test")
    found = measured(Replay(digits.finite("test")), digits, samples=300, neighbours_samples=200)
    made = "uint8-round,block250,bn-eval"
    assert list(found) == [
        f"memorisation_ratio[pixels,native,train,300x300,train1x300,{made}]",
        f"authenticity_pct[pixels,native,train,200x200,train360,{made}]",
    ]
    assert found[f"authenticity_pct[pixels,native,train,200x200,train360,{made}]"].value == 0.0


def test_where_everything_was_trained_on_nothing_can_tell(catalog: Catalog) -> None:
    digits = load_dataset(catalog, "digits", Path("unused"), train_split="train+test")
    bench = Bench(Replay(digits.finite("test")), digits, catalog, 0, "cpu")
    with pytest.raises(Inapplicable, match="no test images, which nothing was trained on"):
        Memorisation().measurements(MetricContext(bench, EvaluationSettings(samples=5)))


def test_data_without_test_images_cannot_tell(catalog: Catalog, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", arr_0=np.zeros((9, 8, 8, 1), dtype=np.uint8))
    loaded = load_dataset(catalog, f"npz:{tmp_path}/x.npz", tmp_path)
    bench = Bench(Replay(loaded.finite("train")), loaded, catalog, 0, "cpu")
    with pytest.raises(Inapplicable, match=r"x\.npz' has no test images"):
        Memorisation().measurements(MetricContext(bench, EvaluationSettings(samples=5)))


def test_every_number_is_fit_for_a_record(quarter: LoadedDataset) -> None:
    kept = quarter.training()
    assert isinstance(kept, Split)
    for name, value in measured(Replay(kept), quarter, samples=100).items():
        MetricEntry(metric=name, value=value.value, protocol_id=name, protocol={}, details=dict(value.details))
