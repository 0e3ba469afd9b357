from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from watched import watch

from harness.builtin.extractors.small_cnn import SmallCnnExtractor
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import (
    Bench,
    Features,
    ImportedStatistics,
    MetricEntry,
    RealSet,
    Statistics,
    StoredImages,
    differences,
    evaluate,
)
from harness.evaluation.evidence.features import measured_by, measured_of
from harness.evaluation.reference_statistics.npz_file import StatisticsFile, read_statistics, write_statistics

Toy = Callable[..., Any]

NAME = "digits-cnn"
SPLIT = RealSet("train", 1437)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a watched network says never comes to other tests."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def bench(digits: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(None, digits, catalog, 0, "cpu")


@pytest.fixture
def exported(bench: Bench, tmp_path: Path) -> StatisticsFile:
    """Our own file of the training split of the digits."""
    features = Features(SPLIT, NAME)
    about = {**measured_by(bench, features), **measured_of(bench, SPLIT), "real_count": 1437}
    write_statistics(tmp_path / "digits.npz", bench.get(Statistics(features)), about)
    return read_statistics(tmp_path / "digits.npz")


def foreign(folder: Path, size: int = 64) -> StatisticsFile:
    rows = np.random.default_rng(0).normal(size=(3 * size, size))
    np.savez(folder / "foreign.npz", mu=rows.mean(0), sigma=np.cov(rows, rowvar=False))
    return read_statistics(folder / "foreign.npz")


@pytest.fixture
def fd(digits: LoadedDataset, catalog: Catalog, toy: Toy) -> Callable[..., MetricEntry]:
    """The Fréchet distance of 200 samples, or of stored images."""

    def measure(trained: Any = None, extractors: tuple[str, ...] = (NAME,), **how: Any) -> MetricEntry:
        settings = EvaluationSettings(samples=200, metrics=("fd",), extractors=extractors)
        chosen = {"dataset": digits, "settings": settings, "catalog": catalog, "seed": 0, "device": "cpu"} | how
        (entry,) = evaluate(trained or toy((1, 8, 8)), **chosen)
        return entry

    return measure


# -------------------------------------------------------------------------------------------------
# computed
# -------------------------------------------------------------------------------------------------


def test_statistics_are_those_of_numpy(bench: Bench) -> None:
    request = Features(RealSet("train", 200), NAME)
    rows = bench.get(request).double().numpy()
    found = bench.get(Statistics(request))
    assert found.mean.numpy() == pytest.approx(rows.mean(0), rel=1e-12)
    assert found.full_covariance().numpy() == pytest.approx(np.cov(rows, rowvar=False), rel=1e-10, abs=1e-12)
    assert found.count == Statistics(request).size() == 200


def test_features_that_statistics_need_come_in_the_one_pass(bench: Bench) -> None:
    one, two = watch(bench, NAME), watch(bench, "pixels")
    statistics = Statistics(Features(RealSet("test", 256), NAME))
    wanted = [Features(RealSet("test", 128), NAME), statistics, Features(RealSet("test", 200), "pixels")]
    bench.expect(wanted)
    for request in wanted:
        bench.get(request)
    assert one.batches == two.batches == [128, 128]


def test_one_real_item_has_no_statistics(bench: Bench) -> None:
    with pytest.raises(EvaluationError, match="at least 2 real samples, not 1"):
        bench.get(Statistics(Features(RealSet("train", 1), NAME)))


# -------------------------------------------------------------------------------------------------
# imported
# -------------------------------------------------------------------------------------------------


def test_our_own_file_gives_the_number_and_the_protocol_of_computing(
    fd: Callable[..., MetricEntry], exported: StatisticsFile
) -> None:
    computed, taken = fd(), fd(imported=exported)
    assert taken.value == pytest.approx(computed.value, rel=1e-12)
    assert taken.protocol_id == computed.protocol_id == (
        "fd[digits-cnn,native,train,1437x200,uint8-round,block250,bn-eval]"
    )  # fmt: skip
    assert differences(taken.protocol, computed.protocol) == []


def test_without_real_images_the_protocol_is_the_same_too(
    fd: Callable[..., MetricEntry], exported: StatisticsFile
) -> None:
    computed, taken = fd(), fd(imported=exported, has_real=False, trained=_stored())
    assert {difference.field for difference in differences(taken.protocol, computed.protocol)} == {
        *("quantise", "block", "batch_norm")  # stored images say no more of how they were made
    }
    assert taken.protocol_id == "fd[digits-cnn,native,train,1437x200,uint8-stored]"


def test_a_distance_to_a_file_looks_at_no_real_image(
    fd: Callable[..., MetricEntry], exported: StatisticsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    look = SmallCnnExtractor.__call__
    monkeypatch.setattr(SmallCnnExtractor, "__call__", lambda self, x: (seen.append(len(x)), look(self, x))[1])
    fd(imported=exported)
    assert seen == [128, 128]  # 200 generated ones


def test_a_file_of_another_tool_is_known_by_its_bytes_and_leaves_the_rest_open(
    fd: Callable[..., MetricEntry], tmp_path: Path
) -> None:
    file = foreign(tmp_path)
    entry = fd(imported=file, has_real=False, trained=_stored())
    assert entry.protocol_id == f"fd[digits-cnn,native,stats-{file.sha256[:12]},?x200,uint8-stored]"
    assert entry.protocol["real_statistics_sha256"] == file.sha256
    assert entry.protocol["real_count"] == "?"
    assert "real" not in entry.counts
    assert not {"dataset", "split", "real_checksum"} & entry.protocol.keys()


def test_a_file_of_another_network_is_refused(fd: Callable[..., MetricEntry], exported: StatisticsFile) -> None:
    with pytest.raises(EvaluationError, match=r"'digits-cnn', not of 'pixels'; use --extractor digits-cnn"):
        fd(imported=exported, extractors=("pixels",))


def test_a_file_made_by_other_weights_is_refused(
    fd: Callable[..., MetricEntry], exported: StatisticsFile, tmp_path: Path
) -> None:
    about = {**exported.about, "extractor_sha256": "0" * 64}
    write_statistics(tmp_path / "other.npz", exported.gaussian, about)
    with pytest.raises(EvaluationError, match="'digits-cnn' of another kind: extractor_sha256 is 0000"):
        fd(imported=read_statistics(tmp_path / "other.npz"))


def test_a_file_of_another_number_of_features_is_refused(fd: Callable[..., MetricEntry], tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="features of 2048 and of 64 dimensions cannot be compared"):
        fd(imported=foreign(tmp_path, 2048))


def test_imported_statistics_are_as_large_as_they_say(exported: StatisticsFile, tmp_path: Path, bench: Bench) -> None:
    assert ImportedStatistics(exported).size() == 1437
    assert ImportedStatistics(foreign(tmp_path)).size() is None
    assert bench.get(ImportedStatistics(exported)) is exported.gaussian


def _stored() -> StoredImages:
    from sklearn.datasets import load_digits

    from harness.builtin.datasets.digits import as_uint8
    from harness.data import Split

    return StoredImages(Split(as_uint8(load_digits().images[:200])[:, None], None, ()))
