from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_files import write_images

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset, Split, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import (
    Bench,
    Conditions,
    Features,
    GeneratedSet,
    Labels,
    StoredImages,
    StoredSet,
    check_evaluation,
    evaluate,
)
from harness.evaluation.sampling.quantise import rounded
from harness.randomness import Seeds


@pytest.fixture
def split(digits: LoadedDataset) -> Split:
    """300 digits, sorted by class as folders sort them."""
    whole = digits.finite("train").subset(np.arange(300))
    assert whole.labels is not None
    return whole.subset(whole.labels.argsort(kind="stable"))


@pytest.fixture
def bench(split: Split, digits: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(StoredImages(split), digits, catalog, 0, "cpu")


def images(count: int, bench: Bench) -> StoredSet:
    return StoredSet(bench.trained.checksum, count)


def test_the_order_is_random_fixed_and_independent_of_the_count(bench: Bench, split: Split) -> None:
    few, all_ = images(40, bench).make(bench), images(300, bench).make(bench)
    sampled = bench.trained.sample(Seeds(0, range(300))).images
    assert np.array_equal(few.values, all_.values[:40])
    assert np.array_equal(rounded(sampled).numpy(), all_.values)
    assert len(set(few.labels)) > 7  # type: ignore[arg-type]
    assert sorted(row.tobytes() for row in all_.values) == sorted(row.tobytes() for row in split.values)


def test_labels_stay_with_their_images(bench: Bench, split: Split) -> None:
    known = {row.tobytes(): label for row, label in zip(split.values, split.labels, strict=True)}  # type: ignore[arg-type]
    found = images(300, bench).make(bench)
    assert [known[row.tobytes()] for row in found.values] == list(found.labels)  # type: ignore[arg-type]
    for evidence in (Labels(images(50, bench)), Conditions(images(50, bench))):
        made: torch.Tensor = bench.get(evidence)  # type: ignore[arg-type]
        assert made.dtype == torch.int64
        assert made.tolist() == list(found.labels[:50])  # type: ignore[index]


def test_sample_i_is_the_stored_image_i(bench: Bench) -> None:
    found = images(300, bench).make(bench)
    samples = bench.trained.sample(Seeds(7, range(3, 9)))
    assert torch.equal((samples.images + 1).mul(127.5).round().to(torch.uint8), torch.from_numpy(found.values[3:9]))
    assert samples.images.min() >= -1.0
    assert samples.images.max() <= 1.0
    assert samples.conditions.tolist() == list(found.labels[3:9])  # type: ignore[index]


def test_features_are_those_of_the_stored_bytes(bench: Bench) -> None:
    found = bench.get(Features(images(20, bench), "pixels"))
    stored = torch.from_numpy(images(20, bench).make(bench).values)
    assert torch.equal(found, stored.flatten(1).float() / 255)


def test_samples_of_stored_images_give_the_features_of_the_images(bench: Bench) -> None:
    sampled = bench.get(Features(GeneratedSet(300, block=30), "digits-cnn"))
    assert torch.equal(sampled, bench.get(Features(images(300, bench), "digits-cnn")))


def test_more_than_there_are_and_conditions_are_refused(bench: Bench) -> None:
    for call in (lambda: images(301, bench).make(bench), lambda: bench.trained.sample(Seeds(0, range(298, 301)))):
        with pytest.raises(EvaluationError, match=r"300 (items|stored images), not 301"):
            call()
    with pytest.raises(EvaluationError, match="cannot be asked for by condition"):
        bench.trained.sample(Seeds(0, range(2)), torch.zeros(2, dtype=torch.int64))


def test_images_without_labels_have_no_conditions(split: Split, digits: LoadedDataset, catalog: Catalog) -> None:
    bare = StoredImages(Split(split.values, None, ()))
    assert bare.n_conditions == 0
    assert not bare.told_labels
    assert StoredImages(split).n_conditions == 10
    assert StoredImages(split).told_labels
    bench = Bench(bare, digits, catalog, 0, "cpu")
    with pytest.raises(EvaluationError, match="no conditions"):
        bench.get(Conditions(images(10, bench)))


def test_a_count_above_their_number_is_their_number(split: Split, digits: LoadedDataset, catalog: Catalog) -> None:
    settings = EvaluationSettings(metrics=("fd",), extractors=("pixels",), quantise="truncate")
    ids = check_evaluation(StoredImages(split), dataset=digits, settings=settings, catalog=catalog)
    assert ids == ["fd[pixels,native,train,1437x300,uint8-stored]"]


# -------------------------------------------------------------------------------------------------
# folder and npz
# -------------------------------------------------------------------------------------------------


def numbers(source: str, digits: LoadedDataset, catalog: Catalog) -> dict[str, float]:
    from harness.runs.files.source import aligned

    split = load_dataset(catalog, source, Path("unused")).finite("train")
    settings = EvaluationSettings(metrics=("fd", "is", "density"), extractors=("digits-cnn",))
    entries = evaluate(
        StoredImages(aligned(split, digits.finite("train").classes)),
        dataset=digits, settings=settings, catalog=catalog, seed=0, device="cpu", replicate={},
    )  # fmt: skip
    return {entry.protocol_id: entry.value for entry in entries}


@pytest.mark.parametrize("labelled", [False, True])
def test_a_folder_and_an_npz_of_the_same_images_give_the_same_numbers(
    split: Split, digits: LoadedDataset, catalog: Catalog, tmp_path: Path, labelled: bool
) -> None:
    if "npz" not in catalog.names("dataset"):
        pytest.skip("no data set npz is registered yet")
    labels = split.labels if labelled else None
    write_images(tmp_path / "folder", split.values, labels)
    pixels = split.values.transpose(0, 2, 3, 1)
    arrays: dict[str, Any] = {"arr_0": pixels} | ({"arr_1": labels} if labelled else {})
    np.savez(tmp_path / "images.npz", **arrays)
    folder, npz = (numbers(f"{kind}:{tmp_path / name}", digits, catalog)
                   for kind, name in (("folder", "folder"), ("npz", "images.npz")))  # fmt: skip
    assert folder == npz
    assert len(folder) > 2


def test_the_order_of_files_makes_no_number(split: Split, digits: LoadedDataset, catalog: Catalog) -> None:
    def distance(images: Split) -> float:
        settings = EvaluationSettings(metrics=("fd",), extractors=("digits-cnn",))
        (entry,) = evaluate(
            StoredImages(images), dataset=digits, settings=settings, catalog=catalog, seed=0, device="cpu"
        )
        return entry.value

    assert distance(split) == pytest.approx(distance(split.subset(np.arange(299, -1, -1))), rel=1e-10)
