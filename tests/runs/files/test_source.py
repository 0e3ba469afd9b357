from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_files import write_images

from harness.catalog import Catalog
from harness.data import NoSplit, Split
from harness.errors import DataError, EvaluationError, UnknownName, UserError
from harness.runs.files.source import aligned, has_statistics, image_source, is_statistics, whole

GREY = np.random.default_rng(0).integers(0, 256, (12, 1, 8, 8), dtype=np.uint8)
LABELS = np.arange(12) % 3


@pytest.fixture
def source(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """What a text means, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda text: image_source(catalog, text, tmp_path / "root")


# -------------------------------------------------------------------------------------------------
# which
# -------------------------------------------------------------------------------------------------


def test_a_folder_an_archive_and_an_npz_are_found_by_their_path(source: Callable[[str], Any], tmp_path: Path) -> None:
    import shutil

    write_images(tmp_path / "made", GREY)
    shutil.make_archive(str(tmp_path / "made"), "zip", tmp_path / "made")
    np.savez(tmp_path / "made.npz", arr_0=GREY.transpose(0, 2, 3, 1))
    found = [source(text) for text in ("made", "./made", str(tmp_path / "made"), "made.zip", "made.npz")]
    assert [loaded.name for loaded in found] == [
        *[f"folder:{tmp_path}/made"] * 3,
        *(f"folder:{tmp_path}/made.zip", f"npz:{tmp_path}/made.npz"),
    ]
    assert all(np.array_equal(whole(loaded, None).values, GREY) for loaded in found)
    assert len({whole(loaded, None).checksum for loaded in found}) == 1


def test_a_name_comes_before_a_folder_of_that_name(source: Callable[[str], Any], tmp_path: Path) -> None:
    write_images(tmp_path / "digits", GREY)
    assert source("digits").name == "digits"
    assert source("./digits").name == f"folder:{tmp_path}/digits"
    assert source(f"folder:{tmp_path}/digits").name == f"folder:{tmp_path}/digits"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("nowhere/at/all", DataError, "there is no folder or file 'nowhere/at/all'"),
        ("none.npz", DataError, "there is no folder or file 'none.npz'"),
        ("digit", UnknownName, "unknown data set, folder or file 'digit'; did you mean 'digits'"),
        ("ring2d", EvaluationError, "data set 'ring2d' holds points, and images are what can be scored"),
        ("digits:x", UserError, "digits"),
        ("folder", UserError, "folder"),
    ],
)
def test_what_is_neither_is_refused(source: Callable[[str], Any], text: str, kind: type[UserError], words: str) -> None:
    with pytest.raises(kind, match=words) as refusal:
        source(text)
    assert "\n" not in str(refusal.value)


def test_a_file_of_another_kind_is_refused(source: Callable[[str], Any], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match="notes.txt is neither a folder nor an archive"):
        whole(source("notes.txt"), None)


def test_files_of_statistics_are_told_from_images(tmp_path: Path) -> None:
    both = {"mu": np.zeros(2), "sigma": np.eye(2)}
    np.savez(tmp_path / "statistics.npz", **both)
    np.savez(tmp_path / "reference.npz", **both, arr_0=GREY.transpose(0, 2, 3, 1))  # type: ignore[arg-type]
    np.savez(tmp_path / "images.npz", arr_0=GREY.transpose(0, 2, 3, 1))
    names = ("statistics.npz", "reference.npz", "images.npz", "none.npz")
    assert [is_statistics(str(tmp_path / name)) for name in names] == [True, False, False, False]
    assert [has_statistics(str(tmp_path / name)) for name in names] == [True, True, False, False]
    assert not has_statistics(str(tmp_path))
    assert not has_statistics("digits")


# -------------------------------------------------------------------------------------------------
# which split
# -------------------------------------------------------------------------------------------------


def test_a_source_without_splits_is_taken_whole(source: Callable[[str], Any], tmp_path: Path) -> None:
    write_images(tmp_path / "made", GREY)
    assert len(whole(source("made"), None)) == len(whole(source("made"), "train")) == 12
    with pytest.raises(NoSplit):
        whole(source("made"), "test")


def test_a_divided_folder_needs_a_split_named(source: Callable[[str], Any], tmp_path: Path) -> None:
    write_images(tmp_path / "made/train", GREY[:8])
    write_images(tmp_path / "made/test", GREY[8:])
    with pytest.raises(EvaluationError, match="has the splits train and test; name one of them with --generated-split"):
        whole(source("made"), None)
    assert len(whole(source("made"), "train")) == 8
    assert len(whole(source("made"), "test")) == 4
    with pytest.raises(UserError, match="unknown split"):
        whole(source("made"), "tset")


def test_a_broken_test_split_is_not_taken_for_none(source: Callable[[str], Any], tmp_path: Path) -> None:
    write_images(tmp_path / "made/train", GREY[:8])
    write_images(tmp_path / "made/test", GREY[8:])
    (tmp_path / "made/test/00000.png").write_bytes(b"broken")
    with pytest.raises(DataError, match="is no image"):
        whole(source("made"), None)


def test_a_data_set_stands_for_its_training_split(source: Callable[[str], Any]) -> None:
    assert len(whole(source("digits"), None)) == 1437
    assert len(whole(source("digits"), "test")) == 360


# -------------------------------------------------------------------------------------------------
# whose labels
# -------------------------------------------------------------------------------------------------


def labelled(*classes: str) -> Split:
    return Split(GREY, LABELS % max(1, len(classes)), classes) if classes else Split(GREY, None, ())


def test_class_folders_correspond_by_name() -> None:
    found = aligned(labelled("dog", "ant", "cow"), ("ant", "bee", "cow", "dog"))
    assert found.classes == ("ant", "bee", "cow", "dog")
    assert found.labels is not None
    assert found.labels.tolist() == [3, 0, 2] * 4
    assert found.labels.dtype == np.int64


def test_numbers_correspond_by_number() -> None:
    found = aligned(labelled("0", "1", "2"), ("ant", "bee", "cow", "dog"))
    assert found.classes == ("ant", "bee", "cow", "dog")
    assert found.labels is not None
    assert found.labels.tolist() == LABELS.tolist()


def test_numbers_that_are_names_correspond_by_name() -> None:
    found = aligned(labelled("1", "2", "0"), ("0", "1", "2"))
    assert found.labels is not None
    assert found.labels.tolist() == [1, 2, 0] * 4


@pytest.mark.parametrize("names", [("0", "1", "2"), ("ant", "bee", "cow"), ("x", "y", "z")])
def test_more_classes_than_the_real_ones_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(EvaluationError, match="the generated images have 3 classes, the real ones 2; give labels"):
        aligned(labelled(*names), ("ant", "bee"))


def test_labels_under_other_names_are_left_out_and_the_notes_say_so() -> None:
    found = aligned(labelled("x", "y", "z"), ("ant", "bee", "cow", "dog"))
    assert found.labels is None
    assert found.classes == ()
    assert "left out" in found.notes["labels"]
    assert np.array_equal(found.values, GREY)


def test_where_one_side_has_no_labels_nothing_changes() -> None:
    for split, classes in ((labelled(), ("a", "b")), (labelled("x", "y", "z"), ()), (labelled("a", "b"), ("a", "b"))):
        assert aligned(split, classes) is split
