from __future__ import annotations

import zipfile

import pytest

from harness.builtin.datasets.image_tree import ImageTree
from harness.errors import DataError


def zip_of(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tree(kind, tmp_path, members, tar_of):
    """The same members as a folder or an archive."""
    if kind == "folder":
        for name, data in members.items():
            path = tmp_path / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return ImageTree(tmp_path / "tree")
    path = tmp_path / f"tree{kind}"
    return ImageTree(zip_of(path, members) if kind == ".zip" else tar_of(path, members))


KINDS = ["folder", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz"]
MEMBERS = {"b/2.PNG": b"two", "a/1.jpg": b"one", "a/notes.txt": b"x", ".hidden/3.png": b"h", "__MACOSX/a/1.jpg": b"m"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_lists_and_reads_alike(kind, tmp_path, tar_of) -> None:
    found = tree(kind, tmp_path, MEMBERS, tar_of)
    assert found.listing() == (["a/1.jpg", "b/2.PNG"], ["a", "b"], 1)
    assert dict(found.read(["b/2.PNG", "a/1.jpg"])) == {"a/1.jpg": b"one", "b/2.PNG": b"two"}
    assert dict(found.read(["a/1.jpg"])) == {"a/1.jpg": b"one"}


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.xz"])
@pytest.mark.parametrize("name", ["../evil.png", "/tmp/evil.png", "a/../../evil.png"])
def test_members_that_leave_the_archive_are_refused_and_nothing_is_written(kind, name, tmp_path, tar_of) -> None:
    found = tree(kind, tmp_path, {"a/1.png": b"", name: b"evil"}, tar_of)
    with pytest.raises(DataError, match="a path that leaves it"):
        found.listing()
    assert [path.name for path in tmp_path.rglob("*")] == [f"tree{kind}"]
    assert not (tmp_path.parent / "evil.png").exists()


@pytest.mark.parametrize("kind", KINDS[1:])
def test_truncated_archives_name_themselves(kind, tmp_path, tar_of) -> None:
    members = {f"a/{n}.png": bytes(range(256)) * 40 for n in range(4)}
    path = tree(kind, tmp_path, members, tar_of).path
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])

    def read_all() -> None:
        found = ImageTree(path)
        dict(found.read(found.listing().images))

    with pytest.raises(DataError, match=rf"tree{kind}.* truncated or corrupt"):
        read_all()


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.xz"])
def test_files_that_are_no_archives_name_themselves(name, tmp_path) -> None:
    (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(DataError, match=rf"{name} is no (zip|tar) archive"):
        ImageTree(tmp_path / name)


def test_other_files_are_told_which_archives_there_are(tmp_path) -> None:
    (tmp_path / "x.rar").write_bytes(b"")
    with pytest.raises(DataError, match=r"x\.rar is neither a folder nor an archive; archives end in \.zip"):
        ImageTree(tmp_path / "x.rar")


def test_links_in_a_tar_are_not_followed(tmp_path) -> None:
    import tarfile

    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("a/1.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert ImageTree(path).listing().images == []
