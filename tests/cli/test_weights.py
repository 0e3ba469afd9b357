from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness import hookimpl
from harness.catalog import Catalog
from harness.contracts.specs import ExtractorSpec, RemoteFile
from harness.plugins import Plugins

DATA = b"some published weights"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Networks whose weights are published in a folder of this machine; returns the folder that they belong in."""
    published = tmp_path / "published.pt"
    published.write_bytes(DATA)
    files = {
        "net": RemoteFile(name="net.pt", url=published.as_uri(), sha256=SHA256),
        "prefixed": RemoteFile(name="net.pt", url=published.as_uri(), sha256=SHA256[:8]),
        "lying": RemoteFile(name="net.pt", url=published.as_uri(), sha256="0" * 64),
        "private": RemoteFile(name="net.pt", sha256=SHA256),
        "packaged": RemoteFile(name="net.pt", sha256=SHA256),
    }
    files["double"] = RemoteFile(name="double", contents=(files["net"], RemoteFile(name="b.pt", sha256=SHA256)))
    module: Any = ModuleType("nets_plugin")

    @hookimpl
    def harness_register_extractors(register):  # type: ignore[no-untyped-def]
        for name, file in files.items():
            packaged = "harness.evaluation:net.pt" if name == "packaged" else None
            register(ExtractorSpec(
                name=name, summary="", load="x:y", accepts="", weights=file, packaged=packaged, source="their authors"
            ))  # fmt: skip

    module.harness_register_extractors = harness_register_extractors
    monkeypatch.setitem(sys.modules, "nets_plugin", module)
    plugins = Plugins((), [EntryPoint("nets", "nets_plugin", "harness")])
    monkeypatch.setattr("harness.cli.weights.open_catalog", lambda without: Catalog(plugins))
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


def test_path_prints_where_each_file_belongs(root: Path, harness) -> None:
    assert harness("weights", "path", "net") == (0, f"{root}/net/net.pt\n", "")
    assert harness("weights", "path", "double").out == f"{root}/double/net.pt\n{root}/double/b.pt\n"
    assert harness("weights", "path", "packaged").out.endswith("harness/evaluation/net.pt\n")
    shown = json.loads(harness("weights", "path", "net", "--json").out)
    files = [{"name": "net.pt", "path": f"{root}/net/net.pt"}]
    assert shown == {"extractor": "net", "root": str(root), "files": files}


@pytest.mark.parametrize("command", ["path", "verify", "fetch"])
def test_a_network_without_weights_needs_none(root: Path, harness, command: str) -> None:
    assert harness("weights", command, "pixels") == (0, "extractor 'pixels' needs no weights\n", "")


def test_fetch_then_verify(root: Path, harness) -> None:
    code, out, err = harness("weights", "fetch", "net")
    assert (code, out, err) == (0, f"net.pt: ok, has the published checksum ({root}/net/net.pt)\n", "")
    assert (root / "net" / "net.pt").read_bytes() == DATA
    assert harness("weights", "verify", "net") == (0, out, "")


def test_a_prefix_of_a_checksum_is_enough_and_is_called_one(root: Path, harness) -> None:
    assert harness("weights", "fetch", "prefixed").code == 0
    assert harness("weights", "verify", "prefixed").out.startswith("net.pt: ok, has the 8 digits of its checksum")


def test_fetch_leaves_what_is_there_alone(root: Path, harness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness("weights", "fetch", "net")
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("the network was touched"))
    assert harness("weights", "fetch", "net").code == 0


def test_fetch_does_not_write_over_a_file_that_is_not_what_was_published(root: Path, refused) -> None:
    (root / "net").mkdir(parents=True)
    (root / "net" / "net.pt").write_bytes(b"precious")
    assert "are not those published" in refused("weights", "fetch", "net")
    assert (root / "net" / "net.pt").read_bytes() == b"precious"


def test_other_bytes_than_those_published_are_not_kept(root: Path, refused) -> None:
    assert "sent other bytes than those published: its sha256 is" in refused("weights", "fetch", "lying")
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_offline_never_touches_the_network_and_says_so(root: Path, refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("the network was touched"))
    said = refused("weights", "fetch", "net", "--offline")
    assert said.endswith(f"{root}/net/net.pt is missing; --offline forbids downloading it; leave --offline out")
    assert not root.exists()


def test_what_has_no_address_is_the_users_to_get(root: Path, refused) -> None:
    assert refused("weights", "fetch", "private").endswith(
        f"put it at {root}/private/net.pt by hand, it is published by their authors"
    )
    assert "install the package that offers 'packaged' again" in refused("weights", "fetch", "packaged")


def test_verify_says_what_is_missing_or_corrupt(root: Path, harness) -> None:
    code, out, err = harness("weights", "verify", "net")
    assert (code, out) == (2, f"net.pt: missing, looked for at {root}/net/net.pt\n")
    assert err.endswith("net.pt is missing; get it with: harness weights fetch net\n")
    (root / "double").mkdir(parents=True)
    (root / "double" / "net.pt").write_bytes(DATA)
    (root / "double" / "b.pt").write_bytes(b"torn")
    code, out, err = harness("weights", "verify", "double", "--json")
    assert code == 2
    assert [file["state"] for file in json.loads(out)["files"]] == ["ok", "corrupt"]
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["path", "verify", "fetch"])
def test_an_unknown_network_is_refused_with_near_names(root: Path, refused, command: str) -> None:
    assert "unknown extractor 'pixel'; did you mean 'pixels'" in refused("weights", command, "pixel")


def test_every_network_that_is_built_in_has_a_place(harness) -> None:
    for name in ("inception-tf", "inception-clean", "vgg16", "dinov2", "lpips-vgg16"):
        assert harness("weights", "path", name).code == 0
