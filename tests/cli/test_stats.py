from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_files import write_images

from harness.builtin.extractors.small_cnn import SmallCnnExtractor
from harness.catalog import Catalog
from harness.data import load_dataset

CNN = ("--extractor", "digits-cnn")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each call of a feature network was handed."""
    seen: list[int] = []
    look = SmallCnnExtractor.__call__
    monkeypatch.setattr(SmallCnnExtractor, "__call__", lambda self, x: (seen.append(len(x)), look(self, x))[1])
    return seen


@pytest.fixture
def exported(harness: Any, tmp_path: Path) -> Path:
    """Statistics of the digits, exported; what was kept on the way is gone."""
    code, out, err = harness("stats", "export", "--real", "digits", *CNN, "--out", "digits.npz")
    assert (code, err) == (0, "")
    assert "statistics of 1,437 images of digits on digits-cnn in digits.npz" in out
    forget(tmp_path)
    return tmp_path / "digits.npz"


def forget(folder: Path) -> None:
    for path in (folder / "cache").rglob("*.npz"):
        path.unlink()


def changed(path: Path, **arrays: Any) -> Path:
    """The file with other arrays, or other things said of itself."""
    about = arrays.pop("about", {})
    with np.load(path) as stored:
        content = {name: stored[name] for name in stored.files} | arrays
    content["about"] = np.array(json.dumps(json.loads(str(content["about"])) | about))
    np.savez(path.with_name("changed.npz"), **content)
    return path.with_name("changed.npz")


def moved(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        mean = stored["mu"].copy()
    mean[3] += 5.0
    return {"mu": mean}


def fd(harness: Any, *words: Any) -> tuple[str, float]:
    code, out, err = harness("evaluate", *words, *CNN, "--metrics", "fd", "--json")
    assert code == 0, err
    (entry,) = json.loads(out)["metrics"]
    return entry["protocol_id"], entry["value"]


@pytest.fixture
def made(tmp_path: Path, catalog: Catalog) -> str:
    test = load_dataset(catalog, "digits", tmp_path).finite("test")
    return str(write_images(tmp_path / "made", test.values[:100]))


# -------------------------------------------------------------------------------------------------
# there and back
# -------------------------------------------------------------------------------------------------


def test_what_is_exported_says_what_it_is(harness: Any, exported: Path, catalog: Catalog) -> None:
    code, out, _ = harness("stats", "verify", exported, "--json")
    assert code == 0
    facts = json.loads(out)
    digits = load_dataset(catalog, "digits", Path("unused")).finite("train")
    weights = catalog.extractor("digits-cnn").weights
    assert weights is not None
    assert facts.items() >= {
        "features": 64, "real_count": 1437, "dataset": "digits", "split": "train", "fit": "none", "resize": "native",
        "output": "features", "real_checksum": digits.checksum, "extractor": "digits-cnn",
        "extractor_sha256": weights.sha256,
    }.items()  # fmt: skip
    assert "features: 64" in harness("stats", "verify", exported).out


def test_export_as_json(harness: Any) -> None:
    words = ("--real", "digits", "--extractor", "pixels", "--split", "test", "--out", "new/p.npz", "--json")
    code, out, _ = harness("stats", "export", *words)
    assert code == 0
    assert json.loads(out).items() >= {"path": "new/p.npz", "extractor": "pixels", "real_count": 360}.items()


def test_a_file_is_verified_against_the_images_themselves(harness: Any, exported: Path, looked_at: list[int]) -> None:
    code, out, _ = harness("stats", "verify", exported, "--real", "digits", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["same"] is True
    assert facts["distance"] < 1e-9
    assert len(looked_at) == 12


def test_imported_statistics_are_used_by_later_evaluations(
    harness: Any, exported: Path, tmp_path: Path, made: str, looked_at: list[int]
) -> None:
    computed = fd(harness, "--generated", made, "--real", "digits")
    assert len(looked_at) == 1 + 12
    forget(tmp_path)
    looked_at.clear()
    code, out, _ = harness("stats", "import", exported, "--real", "digits")
    assert (code, out) == (0, "kept: statistics of digits (train) on digits-cnn\n")
    assert len(looked_at) == 1  # how many features there are
    looked_at.clear()
    name, value = fd(harness, "--generated", made, "--real", "digits")
    assert looked_at == [128]  # the generated ones
    assert name == computed[0] == "fd[digits-cnn,native,train,1437x100,uint8-stored]"
    assert value == pytest.approx(computed[1], rel=1e-9)


def test_a_file_itself_stands_for_the_real_images(
    harness: Any, exported: Path, made: str, looked_at: list[int]
) -> None:
    computed = fd(harness, "--generated", made, "--real", "digits")
    looked_at.clear()
    name, value = fd(harness, "--generated", made, "--real", exported)
    assert looked_at == [128]
    assert name == computed[0]
    assert value == pytest.approx(computed[1], rel=1e-9)


def test_the_same_images_in_other_files_are_the_same_data(
    harness: Any, exported: Path, tmp_path: Path, catalog: Catalog
) -> None:
    digits = load_dataset(catalog, "digits", Path("unused")).finite("train")
    np.savez(tmp_path / "copy.npz", arr_0=digits.values.transpose(0, 2, 3, 1), arr_1=digits.labels)
    assert harness("stats", "verify", exported, "--real", "copy.npz").code == 0


def test_other_tools_files_can_be_looked_at_and_say_little(harness: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "foreign.npz", mu=np.zeros(5), sigma=np.eye(5))
    code, out, _ = harness("stats", "verify", "foreign.npz")
    assert code == 0
    assert "features: 5" in out
    assert "it does not say what it was made from" in out


# -------------------------------------------------------------------------------------------------
# tampered with, and wrong
# -------------------------------------------------------------------------------------------------


def test_a_file_that_was_tampered_with_is_found_out(harness: Any, exported: Path) -> None:
    for arrays in (moved(exported), {"sigma": np.eye(64)}):
        other = changed(exported, **arrays)
        assert harness("stats", "verify", other).code == 0  # it is well formed
        code, out, _ = harness("stats", "verify", other, "--real", "digits", "--json")
        assert code == 1
        assert json.loads(out)["same"] is False


def test_a_file_that_was_tampered_with_is_found_out_even_once_it_is_imported(harness: Any, exported: Path) -> None:
    other = changed(exported, **moved(exported))
    assert harness("stats", "import", other, "--real", "digits").code == 0
    assert harness("stats", "verify", other, "--real", "digits").code == 1
    assert harness("stats", "verify", exported, "--real", "digits").code == 0


def test_other_data_or_another_protocol_is_refused(refused: Any, exported: Path, tmp_path: Path) -> None:
    for command in ("import", "verify"):
        line = refused("stats", command, exported, "--real", "digits", "--split", "test")
        assert "was made from something else: real_checksum is" in line
        for field, value in (("real_count", 1436), ("resize", "bilinear"), ("extractor_sha256", "00"), ("fit", "pad")):
            other = changed(exported, about={field: value})
            assert f"{field} is {value} there" in refused("stats", command, other, "--real", "digits")


def test_bad_files_are_refused(refused: Any, exported: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "foreign.npz", mu=np.zeros(64), sigma=np.eye(64))
    np.savez(tmp_path / "keys.npz", mean=np.zeros(64))
    (tmp_path / "cut.npz").write_bytes(exported.read_bytes()[:-60])
    unknown = changed(exported, about={"extractor": "digits-cn"})
    for words, line in (
        (("verify", "none.npz"), "there is no file of statistics"),
        (("verify", "keys.npz"), "holds mean, but statistics are 'mu' and 'sigma'"),
        (("verify", "cut.npz"), "truncated or corrupt"),
        (("verify", "foreign.npz", "--real", "digits"), "does not say what it was made from"),
        (("import", "foreign.npz", "--real", "digits"), "does not say what it was made from"),
        (("import", "cut.npz", "--real", "digits"), "truncated or corrupt"),
        (("import", unknown, "--real", "digits"), "did you mean 'digits-cnn'"),
        (("import", exported, "--real", "mnst"), "did you mean 'mnist'"),
    ):
        assert line in refused("stats", *words), words


def test_fewer_features_than_the_network_has_are_refused(refused: Any, exported: Path) -> None:
    other = changed(exported, mu=np.zeros(3), sigma=np.eye(3))
    assert "is of 3 features, not of 64" in refused("stats", "verify", other, "--real", "digits")
    assert "is of 3 features, not of 64" in refused("stats", "import", other, "--real", "digits")


def test_statistics_that_are_never_kept_are_not_said_to_be(harness: Any, refused: Any) -> None:
    harness("stats", "export", "--real", "digits", "--extractor", "pixels", "--out", "pixels.npz")
    assert "statistics of extractor 'pixels' are not kept" in refused(
        "stats", "import", "pixels.npz", "--real", "digits"
    )


def test_bad_exports_are_refused_before_any_work(refused: Any, tmp_path: Path, looked_at: list[int]) -> None:
    (tmp_path / "folder.npz").mkdir()
    for out in ("digits.txt", "digits", "folder.npz"):
        line = refused("stats", "export", "--real", "digits", *CNN, "--out", out)
        assert f"a file that ends in .npz, not to {out}" in line
    words = ("--real", "digits", "--out", "x.npz")
    assert "unknown split" in refused("stats", "export", *words, *CNN, "--split", "tset")
    assert "takes 1x28x28" in refused("stats", "export", *words, "--extractor", "mnist-cnn")
    assert "did you mean 'digits-cnn'" in refused("stats", "export", *words, "--extractor", "digits-cn")
    assert looked_at == []
    assert not (tmp_path / "x.npz").exists()
