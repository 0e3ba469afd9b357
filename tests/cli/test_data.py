from __future__ import annotations

import gzip
import hashlib
import json
import sys
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from harness import hookimpl
from harness.catalog import Catalog
from harness.cli import main
from harness.contracts.specs import DatasetSpec, RemoteFile
from harness.plugins import Plugins

DATA = b"some published bytes"
PACKED = gzip.compress(DATA, mtime=0)


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """A data set of one file, published in a folder of this machine; returns the root of all data."""
    published = tmp_path / "published" / "a.gz"
    published.parent.mkdir()
    published.write_bytes(PACKED)
    inner = RemoteFile(name="a", md5=hashlib.md5(DATA).hexdigest())
    file = RemoteFile(name="a.gz", url=published.as_uri(), md5=hashlib.md5(PACKED).hexdigest(), contents=(inner,))
    spec = DatasetSpec(
        name="things", summary="", load="x:y", kind="images", shape=(1, 8, 8), classes=(), splits={"train": None},
        licence="", source="somewhere", files=(file,),
    )  # fmt: skip
    module: Any = ModuleType("things_plugin")

    @hookimpl
    def harness_register_datasets(register):  # type: ignore[no-untyped-def]
        register(spec)

    module.harness_register_datasets = harness_register_datasets
    monkeypatch.setitem(sys.modules, "things_plugin", module)
    plugins = Plugins((), [EntryPoint("things", "things_plugin", "harness")])
    monkeypatch.setattr("harness.cli.data.open_catalog", lambda without: Catalog(plugins))
    root = tmp_path / "root"
    root.mkdir()
    return root


def harness(capsys, *words) -> tuple[int, str, str]:
    code = main(["data", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def test_path_prints_the_folder_that_files_belong_in(things, capsys) -> None:
    assert harness(capsys, "path", "things", "--data-root", things) == (0, f"{things}/things\n", "")
    shown = json.loads(harness(capsys, "path", "things", "--data-root", things, "--json")[1])
    assert shown == {"dataset": "things", "root": str(things), "path": f"{things}/things", "files": ["a.gz"]}


def test_path_follows_the_environment(things, capsys, monkeypatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(things))
    assert harness(capsys, "path", "things")[1] == f"{things}/things\n"


def test_fetch_then_verify(things, capsys) -> None:
    code, out, err = harness(capsys, "fetch", "things", "--data-root", things)
    assert (code, err) == (0, "")
    assert out == f"a.gz: ok, has the published checksum ({things}/things/a.gz)\n"
    assert harness(capsys, "verify", "things", "--data-root", things) == (0, out, "")


def test_fetch_leaves_what_is_there_alone(things, capsys) -> None:
    (things / "a").write_bytes(DATA)
    code, out, _ = harness(capsys, "fetch", "things", "--data-root", things)
    assert (code, out) == (0, f"a: ok, has the published checksum ({things}/a)\n")
    assert [path.name for path in things.iterdir()] == ["a"]


def test_fetch_does_not_write_over_a_file_that_is_not_what_was_published(things, capsys) -> None:
    (things / "a.gz").write_bytes(b"precious")
    code, _, err = harness(capsys, "fetch", "things", "--data-root", things)
    assert code == 2
    assert "delete it and fetch again" in err
    assert (things / "a.gz").read_bytes() == b"precious"


def test_offline_never_touches_the_network_and_says_so(things, capsys, monkeypatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("the network was touched"))
    code, out, err = harness(capsys, "fetch", "things", "--data-root", things, "--offline")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "--offline forbids downloading" in err
    assert list(things.iterdir()) == []


def test_verify_says_what_is_missing_and_how_to_get_it(things, capsys) -> None:
    code, out, err = harness(capsys, "verify", "things", "--data-root", things)
    assert code == 2
    assert out == f"a.gz: missing, looked for in {things}/things and {things}\n"
    assert err == (
        f"error: a.gz of data set 'things' is missing; get it with: harness data fetch things --data-root {things}\n"
    )


def test_verify_says_what_is_corrupt(things, capsys) -> None:
    (things / "a.gz").write_bytes(PACKED[:-3])
    code, out, err = harness(capsys, "verify", "things", "--data-root", things, "--json")
    assert code == 2
    assert json.loads(out)["files"][0]["state"] == "corrupt"
    assert f"a.gz of data set 'things' is corrupt; delete {things}/a.gz and run" in err


def test_a_set_without_files_is_loaded_to_verify_it(capsys, tmp_path) -> None:
    code, out, _ = harness(capsys, "verify", "ring2d", "--json", "--data-root", tmp_path)
    splits = json.loads(out)["splits"]
    assert code == 0
    assert [(split["split"], split["items"]) for split in splits] == [("train", 100_000), ("test", 100_000)]
    assert all(len(split["sha256"]) == 64 for split in splits)


def test_a_folder_without_a_test_split_is_sound_but_one_with_a_broken_image_is_not(capsys, tmp_path) -> None:
    from PIL import Image

    (tmp_path / "x" / "train").mkdir(parents=True)
    Image.new("L", (8, 8)).save(tmp_path / "x" / "train" / "1.png")
    code, out, _ = harness(capsys, "verify", f"folder:{tmp_path}/x")
    assert code == 0
    assert "has no test split" in out
    (tmp_path / "x" / "test").mkdir()
    (tmp_path / "x" / "test" / "2.png").write_bytes(b"broken")
    code, _, err = harness(capsys, "verify", f"folder:{tmp_path}/x")
    assert code == 2
    assert "2.png is no image" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "mnits"), "unknown data set 'mnits'; did you mean"),
        (("path", "folder"), "data set 'folder' needs PATH"),
        (("verify", "folder:/no/such/place"), "there is no folder or archive '/no/such/place'"),
        (("path", "mnist:x"), "takes nothing after a colon"),
        (("path", "mnist", "--without", "nobody"), "--without names no plugin: 'nobody'"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(capsys, words, said) -> None:
    code, out, err = harness(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_real_files_verify_although_they_were_compressed_anew(capsys, real_data) -> None:
    code, out, _ = harness(capsys, "verify", "mnist", "--data-root", real_data)
    assert code == 0
    assert out.count(": ok, ") == 4


def test_files_of_a_set_that_is_made_of_another_are_those_of_the_other(harness, refused, tmp_path):
    assert harness("data", "path", "stacked_mnist", "--data-root", tmp_path).out.strip() == str(tmp_path / "mnist")
    said = refused("data", "fetch", "stacked_mnist", "--data-root", tmp_path, "--offline")
    assert "data set 'mnist' needs train-images-idx3-ubyte.gz" in said
