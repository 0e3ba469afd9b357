from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.contracts.specs import ExtractorSpec, RemoteFile
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.evaluation import check_evaluation
from harness.evaluation.feature_networks.local_weights import (
    keep_made,
    problem_with_made,
    record_beside,
    summary_of_made,
)
from harness.evaluation.feature_networks.weights import (
    is_made_here,
    made_sha256,
    verified_weights,
    weights_files,
    weights_sha256,
    weights_states,
)

DATA = b"weights of today"
SHA256 = hashlib.sha256(DATA).hexdigest()

SPEC = ExtractorSpec(
    name="net", summary="", load="x:y", accepts="", weights=RemoteFile(name="net.pt"), source="python -m make net"
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights that were made here."""
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    path = tmp_path / "net" / "net.pt"
    assert keep_made(path, DATA, "94 % right", {"epochs": 20}) == SHA256
    return path


def said() -> str:
    with pytest.raises(EvaluationError) as caught:
        verified_weights(SPEC)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_made_is_kept_with_its_checksum_and_how(file: Path) -> None:
    assert file.read_bytes() == DATA
    record = json.loads(record_beside(file).read_text())
    assert record == {"sha256": SHA256, "size": 16, "summary": "94 % right", "made": {"epochs": 20}}
    assert sorted(path.name for path in file.parent.iterdir()) == ["net.pt", "net.pt.json"]
    assert verified_weights(SPEC) == file
    assert weights_sha256(SPEC) == made_sha256(SPEC) == SHA256
    assert summary_of_made(file) == "94 % right"
    assert weights_states(SPEC)[0].detail == "has the checksum recorded when it was made: 94 % right"


def test_a_changed_file_is_refused_and_to_be_made_again(file: Path) -> None:
    file.write_bytes(DATA[::-1])
    assert said() == (
        f"weights of extractor 'net' at {file} are not those made on this machine: its SHA-256 is "
        f"{hashlib.sha256(DATA[::-1]).hexdigest()[:12]}..., but {SHA256[:12]}... was recorded when it was made; "
        "delete the file and make it with: python -m make net"
    )
    with pytest.raises(EvaluationError, match="are not those made"):
        weights_sha256(SPEC)


def test_a_file_that_is_missing_is_to_be_made(file: Path) -> None:
    file.unlink()
    assert said() == f"extractor 'net' has no weights: {file} is missing; make it with: python -m make net"


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (None, "no record of its making lies beside it (net.pt.json)"),
        ("{", "the record of its making (net.pt.json) cannot be read"),
        ("[]", "does not say sha256 and summary"),
        ('{"sha256": 3, "summary": ""}', "does not say sha256 and summary"),
    ],
)
def test_weights_without_a_record_worth_the_name_are_never_opened(file: Path, record: str | None, problem: str) -> None:
    record_beside(file).unlink()
    if record is not None:
        record_beside(file).write_text(record)
    assert problem in said()
    assert problem in (problem_with_made(file, SHA256) or "")


def test_a_new_training_over_an_old_one_is_what_counts(file: Path) -> None:
    other = keep_made(file, b"weights of tomorrow", "95 % right", {})
    assert weights_sha256(SPEC) == other != SHA256


def test_only_what_nobody_publishes_is_made_here() -> None:
    for published in ({"url": "https://example.org/net.pt"}, {"sha256": SHA256}, {"md5": "0" * 32}):
        spec = replace(SPEC, weights=RemoteFile(name="net.pt", **published))
        assert not is_made_here(spec, *weights_files(spec))
    assert not is_made_here(replace(SPEC, packaged="harness:net.pt"), *weights_files(SPEC))
    assert is_made_here(SPEC, *weights_files(SPEC))
    assert made_sha256(replace(SPEC, weights=RemoteFile(name="net.pt", sha256=SHA256))) is None


def test_two_trainings_of_one_network_measure_under_two_ids(
    file: Path, digits: LoadedDataset, catalog: Catalog, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = catalog.extractor("digits-cnn")
    content = (verified_weights(shipped) or Path()).read_bytes()
    made = replace(shipped, packaged=None, weights=RemoteFile(name="net.pt"))
    monkeypatch.setitem(catalog._specs["extractor"], "digits-cnn", made)
    settings = EvaluationSettings(samples=50, metrics=("fd",), extractors=("digits-cnn",))
    ids = []
    for version in (content, content + b"\0"):  # zeros after the archive are another file of the same weights
        digest = keep_made(file.parents[1] / "digits-cnn" / "net.pt", version, "", {})
        ids += check_evaluation(toy((1, 8, 8)), dataset=digits, settings=settings, catalog=catalog)
        assert ids[-1] == f"fd[digits-cnn-{digest[:12]},native,train,1437x50,uint8-round,block250,bn-eval]"
    assert ids[0] != ids[1]
