from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.contracts.specs import DatasetSpec, RemoteFile
from harness.data.files import download
from harness.errors import DataError

DATA = bytes(range(256)) * 9000  # more than two chunks


class Handler(BaseHTTPRequestHandler):
    """Sends `DATA`, less of it than announced, or an error, by the path asked for."""

    def do_GET(self) -> None:
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA[: 1000 if self.path == "/short" else None])

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()
    thread.join()


def wanted(url: str | None, md5: str = hashlib.md5(DATA).hexdigest()) -> tuple[DatasetSpec, RemoteFile]:
    file = RemoteFile(name="deep/a.bin", url=url, md5=md5)
    spec = DatasetSpec(
        name="things", summary="", load="x:y", kind="images", shape=None, classes=None, splits={"train": None},
        licence="", source="https://things.example", files=(file,),
    )  # fmt: skip
    return spec, file


def test_a_download_lands_in_the_sets_own_folder_whole(server, tmp_path) -> None:
    seen = []
    path = download(*wanted(f"{server}/a"), tmp_path, lambda file, done, total: seen.append((done, total)))
    assert path == tmp_path / "things" / "deep" / "a.bin"
    assert path.read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a.bin"]


@pytest.mark.parametrize(
    ("path", "md5", "said"),
    [
        ("/a", "0" * 32, "sent other bytes than those published: its md5 is"),
        ("/short", None, "broke off after 1000 of|IncompleteRead"),
        ("/gone", None, "cannot download http.*: Not Found; or put it at .*a.bin by hand"),
    ],
)
def test_anything_else_leaves_no_file_behind(server, tmp_path, path, md5, said) -> None:
    spec, file = wanted(server + path) if md5 is None else wanted(server + path, md5)
    with pytest.raises(DataError, match=said):
        download(spec, file, tmp_path)
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == []


def test_no_network_is_one_line(tmp_path) -> None:
    with pytest.raises(DataError, match=r"cannot download http://127\.0\.0\.1:9/a: .*Connection refused"):
        download(*wanted("http://127.0.0.1:9/a"), tmp_path)


def test_a_file_without_an_address_is_to_be_got_by_hand(tmp_path) -> None:
    with pytest.raises(DataError, match=r"has no address .*; get it from https://things\.example by hand"):
        download(*wanted(None), tmp_path)


def test_a_folder_that_cannot_be_made_is_one_line(server, tmp_path) -> None:
    (tmp_path / "things").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot write .*a\.bin: (File exists|Not a directory)"):
        download(*wanted(f"{server}/a"), tmp_path)
