from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from watched import calls

from harness.builtin.extractors.small_cnn import SmallCnnExtractor
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Features, RealSet, Statistics, evaluate
from harness.evaluation.evidence.features import kept_features, reference_key, statistics_key
from harness.evaluation.reference_statistics.cache import ReferenceCache

Toy = Callable[..., Any]

NAME = "digits-cnn"
WHOLE = Features(RealSet("train", 1437), NAME)
PART = Features(RealSet("train", 300), NAME)


def entries(cache: ReferenceCache) -> list[Path]:
    return sorted(cache.folder.rglob("*.npz"))


# -------------------------------------------------------------------------------------------------
# used
# -------------------------------------------------------------------------------------------------


def test_the_same_request_is_not_computed_again_and_is_equal_to_the_bit(fresh: Callable[..., Bench]) -> None:
    first, second = fresh(), fresh()
    computed = first.get(PART)
    assert calls(second, PART) == 0
    assert second.get(PART).dtype == torch.float32
    assert torch.equal(second.get(PART), computed)


def test_the_first_rows_of_an_entry_serve_a_smaller_count(fresh: Callable[..., Bench]) -> None:
    rows = fresh().get(PART)
    bench = fresh()
    few = Features(RealSet("train", 40), NAME)
    assert calls(bench, few) == 0
    assert torch.equal(bench.get(few), rows[:40])
    assert torch.equal(kept_features(bench, few), rows[:40])  # type: ignore[arg-type]


def test_an_entry_of_fewer_rows_is_not_used_and_is_replaced(fresh: Callable[..., Bench]) -> None:
    fresh().get(PART)
    assert calls(fresh(), WHOLE) > 0
    assert calls(fresh(), WHOLE) == 0


def test_a_fraction_for_training_leaves_the_real_side_as_it_is(fresh: Callable[..., Bench], catalog: Catalog) -> None:
    part = load_dataset(catalog, "digits", Path("unused"), fraction=0.1)
    computed = fresh().get(WHOLE)
    bench = fresh(part)
    assert calls(bench, WHOLE) == 0
    assert torch.equal(bench.get(WHOLE), computed)


def test_kept_statistics_need_no_features(fresh: Callable[..., Bench], cache: ReferenceCache) -> None:
    statistics = Statistics(WHOLE)
    computed = fresh().get(statistics)
    for path in (cache.folder / "features").glob("*.npz"):
        path.unlink()
    bench = fresh()
    assert tuple(statistics.needs(bench)) == ()
    assert calls(bench, statistics) == 0
    kept = bench.get(statistics)
    assert torch.equal(kept.mean, computed.mean)
    assert torch.equal(kept.full_covariance(), computed.full_covariance())
    assert kept.count == computed.count == 1437


def test_statistics_of_fewer_items_than_features_keep_their_factor(fresh: Callable[..., Bench]) -> None:
    statistics = Statistics(Features(RealSet("train", 20), NAME))
    computed, kept = fresh().get(statistics), fresh().get(statistics)
    assert kept.covariance is None
    assert torch.equal(kept.factor, computed.factor)  # type: ignore[arg-type]


def test_statistics_of_another_count_are_not_used(fresh: Callable[..., Bench]) -> None:
    fresh().get(Statistics(WHOLE))
    assert fresh().get(Statistics(PART)).count == 300


def test_values_are_the_same_to_the_bit_with_and_without_the_cache(
    toy: Toy, digits: LoadedDataset, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[int] = []
    look = SmallCnnExtractor.__call__
    monkeypatch.setattr(SmallCnnExtractor, "__call__", lambda self, x: (seen.append(len(x)), look(self, x))[1])
    (tmp_path / "file").touch()

    def values(folder: str) -> tuple[list[float], int]:
        monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / folder))
        seen.clear()
        settings = EvaluationSettings(samples=256, metrics=("fd", "precision", "coverage"), extractors=(NAME,))
        found = evaluate(toy((1, 8, 8)), dataset=digits, settings=settings, catalog=catalog, seed=0, device="cpu")
        return [entry.value for entry in found], len(seen)

    first, second = values("cache"), values("cache")
    with pytest.warns(UserWarning, match="reference not kept"):
        without = values("file/cache")
    assert first[0] == second[0] == without[0]
    assert second[1] == 2  # the 256 generated images
    assert first[1] == without[1] == 2 + 12  # and 1,437 real ones in batches of 128


# -------------------------------------------------------------------------------------------------
# spoilt, and what cannot be written
# -------------------------------------------------------------------------------------------------


def test_an_entry_under_the_name_of_another_is_refused(fresh: Callable[..., Bench], cache: ReferenceCache) -> None:
    bench, other = fresh(), Features(RealSet("test", 300), NAME)
    bench.get(PART)
    keys = [reference_key(bench, request) for request in (PART, other)]
    old, new = (cache.path("features", key) for key in keys)  # type: ignore[arg-type]
    old.rename(new)
    with pytest.raises(EvaluationError, match=r"is about other data .*; delete that file") as refusal:
        fresh().get(other)
    assert str(new) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_truncated_entry_is_refused_until_it_is_deleted(fresh: Callable[..., Bench], cache: ReferenceCache) -> None:
    fresh().get(PART)
    (path,) = entries(cache)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(EvaluationError, match=r"cannot be read; delete that file, and it will be made again"):
        fresh().get(PART)
    path.unlink()
    assert calls(fresh(), PART) > 0


def test_no_flipped_bit_ever_changes_what_is_read(fresh: Callable[..., Bench], cache: ReferenceCache) -> None:
    rows = fresh().get(PART)
    (path,) = entries(cache)
    whole = path.read_bytes()
    refusals = []
    for place in range(0, len(whole), len(whole) // 150):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            assert torch.equal(fresh().get(PART), rows)  # a date, or another field that nobody reads
        except EvaluationError as error:
            refusals.append(str(error))
    assert len(refusals) > 140
    assert all("delete that file" in line for line in refusals)


def test_an_entry_that_lacks_its_content_is_refused(fresh: Callable[..., Bench], cache: ReferenceCache) -> None:
    fresh().get(PART)
    (path,) = entries(cache)
    with np.load(path) as arrays:
        key = arrays["key"]
    np.savez(path, key=key)
    with pytest.raises(EvaluationError, match="delete that file"):
        fresh().get(PART)


def test_two_that_keep_the_same_at_once_leave_a_whole_entry(
    cache: ReferenceCache, fresh: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = reference_key(fresh(), PART)
    assert key is not None
    write, met = np.savez, []

    def meanwhile(handle: Any, **arrays: Any) -> None:
        if not met:
            met.append(True)
            ReferenceCache(cache.folder).keep_features(key, torch.ones(500, 2))
        write(handle, **arrays)

    monkeypatch.setattr(np, "savez", meanwhile)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.keep_features(key, torch.ones(5, 2))
    assert torch.equal(cache.features(key, 5), torch.ones(5, 2))  # type: ignore[arg-type]
    assert [path.suffix for path in cache.folder.rglob("*") if path.is_file()] == [".npz"]


def test_a_folder_that_cannot_be_written_warns_and_the_number_still_comes(
    fresh: Callable[..., Bench], tmp_path: Path
) -> None:
    expected = fresh().get(PART)
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="reference not kept at .*: Not a directory"):
        rows = fresh(cache=ReferenceCache(tmp_path / "file" / "kept")).get(PART)
    assert torch.equal(rows, expected)


def test_a_folder_that_may_not_be_entered_warns_and_the_number_still_comes(
    fresh: Callable[..., Bench], cache: ReferenceCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the superuser, as whom tests may run, is never refused by the disk itself
    stat, mkdir = Path.stat, Path.mkdir

    def forbidden(does: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(path: Path, *args: Any, **kwargs: Any) -> Any:
            if path.is_relative_to(cache.folder):
                raise PermissionError(13, "Permission denied")
            return does(path, *args, **kwargs)

        return guarded

    monkeypatch.setattr(Path, "stat", forbidden(stat))
    monkeypatch.setattr(Path, "mkdir", forbidden(mkdir))
    with pytest.warns(UserWarning, match="reference not kept at .*: Permission denied"):
        assert len(fresh().get(PART)) == 300


def test_the_folder_is_the_one_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from harness.evaluation.reference_statistics.cache import cache_folder

    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x"
    monkeypatch.delenv("HARNESS_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "harness" / "reference"


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": np.full(64, np.nan)},
        {"mean": np.array(["x"] * 64)},
        {"mean": np.zeros(10)},
        {"covariance": np.zeros(3)},
    ],
)
def test_kept_statistics_that_are_no_statistics_are_refused(
    cache: ReferenceCache, fresh: Callable[..., Bench], changes: dict[str, np.ndarray]
) -> None:
    bench = fresh()
    bench.get(Statistics(WHOLE))
    key = statistics_key(bench, WHOLE)
    assert key is not None
    path = cache.path("statistics", key)
    with np.load(path) as arrays:
        content = dict(arrays) | changes
    np.savez(path, **content)
    with pytest.raises(EvaluationError, match="holds no mean and spread; delete that file"):
        cache.statistics(key)
