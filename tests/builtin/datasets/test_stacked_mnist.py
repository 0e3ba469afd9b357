from __future__ import annotations

import dataclasses
import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from harness.builtin.datasets import stacked_mnist
from harness.builtin.datasets.stacked_mnist import drawn, load, stacked
from harness.cli import main
from harness.contracts.data import DataRequest
from harness.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
LABELS = np.array([*range(10), 3, 4], dtype=np.uint8)


@pytest.fixture
def small(monkeypatch, spec_of, idx_bytes, tmp_path):
    """Requests for 50 stacks of twelve digits, whose files lie in tmp_path/mnist."""
    files = tuple(
        dataclasses.replace(
            file, md5=None, contents=tuple(dataclasses.replace(c, md5=None, size=None) for c in file.contents)
        )
        for file in spec_of("mnist").files
    )
    digits = spec_of("mnist", splits={"train": 12, "test": 12}, files=files)
    monkeypatch.setattr(stacked_mnist, "MNIST", digits)
    (tmp_path / "mnist").mkdir()
    for prefix, images in (("train", IMAGES), ("t10k", 255 - IMAGES)):
        for name, data in (("images-idx3", images), ("labels-idx1", LABELS)):
            (tmp_path / "mnist" / f"{prefix}-{name}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(data)))
    spec = spec_of("stacked_mnist", splits={"train": 50, "test": 50})
    return lambda split="train": DataRequest(spec, tmp_path, split)


def test_each_channel_is_a_digit_and_the_label_reads_them_in_order(small) -> None:
    split = load(small())
    assert split.values.shape == (50, 3, 28, 28)
    which = drawn(12, 50, "train")
    for item, (a, b, c) in enumerate(which):
        np.testing.assert_array_equal(split.values[item], IMAGES[[a, b, c]])
        assert split.classes[split.labels[item]] == f"{LABELS[a]}{LABELS[b]}{LABELS[c]}"


def test_the_draw_is_fixed_and_each_split_has_its_own(small) -> None:
    first, again, test = load(small()), load(small()), load(small("test"))
    assert first.checksum == again.checksum
    assert (first.labels != test.labels).any()
    assert (255 - test.values[0, 0] == IMAGES[drawn(12, 50, "test")[0, 0]]).all()


def test_draws_are_uniform_and_independent_with_replacement() -> None:
    which = drawn(10, 30_000, "train")
    assert np.bincount(which.ravel(), minlength=10) == pytest.approx(np.full(10, 9000), abs=5 * 95)
    pairs = Counter(map(tuple, which[:, :2].tolist()))
    assert len(pairs) == 100
    assert max(pairs.values()) < 300 + 5 * 17.3
    # the same digit twice or three times in an item: 1 - 0.9 * 0.8
    alike = np.mean([len(set(item)) < 3 for item in which.tolist()])
    assert alike == pytest.approx(0.28, abs=0.013)


def test_hundreds_come_first() -> None:
    digits = np.arange(10, dtype=np.uint8)[:, None, None, None]
    values, labels = stacked(digits, np.arange(10), np.array([[4, 0, 7], [0, 0, 9]]))
    assert labels.tolist() == [407, 9]
    assert values[:, :, 0, 0].tolist() == [[4, 0, 7], [0, 0, 9]]


def test_notes_say_how_it_was_drawn(small) -> None:
    notes = load(small()).notes
    assert "three independent uniform draws with replacement" in notes["draw"]
    assert notes["digits"].startswith("of mnist's train split, sha256 ")


def test_missing_digits_are_fetched_as_mnist(spec_of, tmp_path) -> None:
    with pytest.raises(DataError, match=f"data set 'mnist' needs .*harness data fetch mnist --data-root {tmp_path}"):
        load(DataRequest(spec_of("stacked_mnist"), tmp_path, "train"))


def test_the_real_digits_make_a_thousand_classes(spec_of, real_data: Path) -> None:
    train = load(DataRequest(spec_of("stacked_mnist"), real_data, "train"))
    assert train.values.shape == (100_000, 3, 28, 28)
    counts = np.bincount(train.labels, minlength=1000)
    assert counts.min() > 40
    assert counts.max() < 190
    # ones are the most frequent digit of MNIST, fives the least
    assert counts[111] > counts[555]
    test = load(DataRequest(spec_of("stacked_mnist"), real_data, "test"))
    assert len(test) == 10_000
    # the draw of the first release: other items would be another data set
    assert train.checksum.startswith("32b1f79418c1b35c")
    assert test.checksum.startswith("ab2c970cb12e2ec0")


def test_verifying_is_loading(real_data: Path, capsys) -> None:
    assert main(["data", "verify", "stacked_mnist", "--data-root", str(real_data), "--json"]) == 0
    splits = json.loads(capsys.readouterr().out)["splits"]
    assert [(each["split"], each["items"]) for each in splits] == [("train", 100_000), ("test", 10_000)]
