from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.builtin.metrics.frechet import frechet_distance
from harness.errors import EvaluationError
from harness.evaluation import fit_gaussian
from harness.evaluation.reference_statistics.npz_file import (
    array_names,
    holds_statistics,
    read_statistics,
    write_statistics,
)

ROWS = np.random.default_rng(0).normal(size=(50, 6))
MU, SIGMA = ROWS.mean(0), np.cov(ROWS, rowvar=False)


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "file.npz"
    np.savez(path, **arrays)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(EvaluationError) as caught:
        read_statistics(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


# -------------------------------------------------------------------------------------------------
# read
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [50, 4])
def test_what_is_written_is_read_back(tmp_path: Path, count: int) -> None:
    fitted = fit_gaussian(torch.from_numpy(ROWS[:count]))
    about = {"dataset": "digits", "real_count": count, "extractor_sha256": None}
    write_statistics(tmp_path / "new" / "file.npz", fitted, about)
    found = read_statistics(tmp_path / "new" / "file.npz")
    assert torch.equal(found.gaussian.mean, fitted.mean)
    assert torch.allclose(found.gaussian.full_covariance(), fitted.full_covariance(), rtol=1e-15, atol=1e-17)
    assert found.gaussian.count == count
    assert found.about == about


def test_other_tools_read_what_is_written(tmp_path: Path) -> None:
    from cleanfid.fid import frechet_distance as published

    write_statistics(tmp_path / "file.npz", fit_gaussian(torch.from_numpy(ROWS)), {})
    with np.load(tmp_path / "file.npz") as arrays:
        assert published(arrays["mu"], arrays["sigma"], MU, SIGMA) == pytest.approx(0.0, abs=1e-12)
        assert arrays["mu"].dtype == arrays["sigma"].dtype == np.float64


@pytest.mark.parametrize(
    "others",
    [
        {},  # pytorch-fid and clean-fid
        {"mu_s": np.zeros(3), "sigma_s": np.eye(3), "arr_0": np.zeros((2, 8, 8, 3), np.uint8)},  # ADM
        {"fid_ref": np.array("edm"), "num_images": np.array(50000)},  # EDM and its like
    ],
    ids=["plain", "with images", "with other keys"],
)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_files_of_other_tools_are_read(tmp_path: Path, others: dict[str, Any], kind: type) -> None:
    path = saved(tmp_path, mu=MU.astype(kind), sigma=SIGMA.astype(kind), **others)
    found = read_statistics(path)
    assert found.gaussian.mean.dtype == found.gaussian.full_covariance().dtype == torch.float64
    assert found.gaussian.count is None
    assert found.about == {}
    assert frechet_distance(found.gaussian, fit_gaussian(torch.from_numpy(ROWS))) < (
        1e-12 if kind is np.float64 else 1e-5
    )


def test_half_precision_and_compressed_files_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "file.npz", mu=MU.astype(np.float16), sigma=SIGMA.astype(np.float16))
    assert read_statistics(tmp_path / "file.npz").gaussian.mean.numpy() == pytest.approx(MU, abs=1e-3)


def test_rounding_of_single_precision_passes_for_symmetric_and_is_evened_out(tmp_path: Path) -> None:
    sigma = SIGMA.copy()
    sigma[0, 1] += 5e-6
    covariance = read_statistics(saved(tmp_path, mu=MU, sigma=sigma)).gaussian.full_covariance()
    assert torch.equal(covariance, covariance.T)


def test_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    first = read_statistics(saved(tmp_path, mu=MU, sigma=SIGMA)).sha256
    assert read_statistics(saved(tmp_path, mu=MU, sigma=SIGMA)).sha256 == first
    assert read_statistics(saved(tmp_path, mu=MU + 1, sigma=SIGMA)).sha256 != first


def test_whether_a_file_holds_statistics(tmp_path: Path) -> None:
    assert holds_statistics(saved(tmp_path, mu=MU, sigma=SIGMA, arr_0=np.zeros(3)))
    assert not holds_statistics(saved(tmp_path, arr_0=np.zeros(3)))
    assert not holds_statistics(saved(tmp_path, mu=MU))
    other = tmp_path / "picture.png"
    other.write_bytes(b"not looked at")
    assert not holds_statistics(other)
    assert array_names(saved(tmp_path, a=MU, b=MU)) == ["a", "b"]


# -------------------------------------------------------------------------------------------------
# refused
# -------------------------------------------------------------------------------------------------


def _with(matrix: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    changed = matrix.copy()
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"mean": MU, "cov": SIGMA}, "holds mean, cov, but statistics are 'mu' and 'sigma'"),
        ({"mu": MU}, "holds mu, but"),
        ({}, "holds nothing, but"),
        ({"mu": MU, "sigma": SIGMA[:5]}, r"mu has shape (6,) and sigma (5, 6)"),
        ({"mu": MU[:5], "sigma": SIGMA}, r"mu has shape (5,) and sigma (6, 6)"),
        ({"mu": MU[None], "sigma": SIGMA}, r"mu has shape (1, 6)"),
        ({"mu": np.zeros(0), "sigma": np.zeros((0, 0))}, r"mu has shape (0,)"),
        ({"mu": np.array(1.0), "sigma": np.array(1.0)}, r"mu has shape ()"),
        ({"mu": _with(MU, (2,), np.nan), "sigma": SIGMA}, "NaN or infinite"),
        ({"mu": MU, "sigma": _with(SIGMA, (1, 1), np.inf)}, "NaN or infinite"),
        ({"mu": MU, "sigma": _with(SIGMA, (1, 2), 0.9)}, "sigma is not symmetric"),
        ({"mu": MU, "sigma": _with(SIGMA, (1, 1), -0.9)}, "negative variance"),
        ({"mu": MU.astype(int), "sigma": SIGMA}, "mu and sigma hold int64 and float64"),
        ({"mu": MU, "sigma": SIGMA.astype(complex)}, "mu and sigma hold float64 and complex128"),
        ({"mu": MU, "sigma": SIGMA, "about": np.array("[1, 2]")}, "is not a JSON object"),
        ({"mu": MU, "sigma": SIGMA, "about": np.array("{")}, "truncated or corrupt"),
    ],
)
def test_a_file_with_the_wrong_content_is_refused(tmp_path: Path, arrays: dict[str, Any], words: str) -> None:
    assert words in refusal(saved(tmp_path, **arrays))


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    for name in ("mu", "sigma", "about"):
        arrays: dict[str, Any] = {"mu": MU, "sigma": SIGMA} | {name: np.array([Trap()], dtype=object)}
        refusal(saved(tmp_path, **arrays))
        assert not (tmp_path / "sprung").exists()
    saved(tmp_path, mu=MU, sigma=SIGMA, extra=np.array([Trap()], dtype=object))
    read_statistics(tmp_path / "file.npz")
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_is_cut_short_or_no_zip_at_all_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, mu=MU, sigma=SIGMA)
    whole = path.read_bytes()
    for part in (whole[:-40], whole[: len(whole) // 2], b"PK", b""):
        path.write_bytes(part)
        assert "truncated or corrupt" in refusal(path)


def test_a_flipped_byte_inside_an_array_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, mu=MU, sigma=SIGMA)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(bytes(whole))
    assert "truncated or corrupt" in refusal(path)


@pytest.mark.parametrize("content", [b"not an array", b"\x93NUMPY\x01\x00", b""])
def test_a_member_that_is_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    buffer = io.BytesIO()
    np.save(buffer, SIGMA)
    with zipfile.ZipFile(tmp_path / "file.npz", "w") as archive:
        archive.writestr("mu.npy", content)
        archive.writestr("sigma.npy", buffer.getvalue())
    refusal(tmp_path / "file.npz")


def test_a_locked_member_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, mu=MU, sigma=SIGMA)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag that a member is encrypted
        data[data.find(mark) + offset] |= 1
    path.write_bytes(bytes(data))
    refusal(path)


def test_no_file_at_all_is_refused(tmp_path: Path) -> None:
    assert "there is no file of statistics" in refusal(tmp_path / "none.npz")
    assert "there is no file of statistics" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"real_count": "many"}, "made from 'many' images"),
        ({"real_count": -4}, "made from -4 images"),
        ({"real_count": True}, "made from True images"),
        ({"extractor": ["pixels"]}, "lists or objects"),
    ],
)
def test_what_a_file_says_of_itself_is_checked(tmp_path: Path, about: dict[str, Any], words: str) -> None:
    path = saved(tmp_path, mu=MU, sigma=SIGMA, about=np.array(json.dumps(about)))
    assert words in refusal(path)


def test_a_matrix_with_negative_eigenvalues_is_no_covariance(tmp_path: Path) -> None:
    sigma = np.eye(6)
    sigma[0, 1] = sigma[1, 0] = 50.0
    assert "negative eigenvalues" in refusal(saved(tmp_path, mu=MU, sigma=sigma))
    singular = np.zeros((6, 6))
    singular[:2, :2] = 1.0
    assert read_statistics(saved(tmp_path, mu=MU, sigma=singular)).gaussian.trace == 2.0
