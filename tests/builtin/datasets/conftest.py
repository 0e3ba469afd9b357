"""Small files in the layouts of the published data sets, and specs that ask for them."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pickle
import struct
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.builtin.datasets.registry import SPECS
from harness.contracts.data import DataRequest
from harness.contracts.specs import DatasetSpec, RemoteFile

MakeRequest = Callable[..., DataRequest]


@pytest.fixture
def spec_of() -> Callable[..., DatasetSpec]:
    """A built-in spec by name, with some fields replaced."""
    specs = {spec.name: spec for spec in SPECS}
    return lambda name, **changes: dataclasses.replace(specs[name], **changes)


@pytest.fixture
def idx_bytes() -> Callable[[np.ndarray], bytes]:
    """An IDX file of unsigned bytes."""

    def make(array: np.ndarray) -> bytes:
        header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
        return header + array.astype(np.uint8).tobytes()

    return make


@pytest.fixture
def tar_of() -> Callable[[Path, Mapping[str, bytes]], Path]:
    """A tar archive with these members, compressed as its name says."""

    def make(path: Path, members: Mapping[str, bytes]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = {"gz": "w:gz", "tgz": "w:gz", "xz": "w:xz"}.get(path.name.rpartition(".")[2], "w")
        with tarfile.open(path, mode) as archive:
            for name, data in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return path

    return make


@pytest.fixture
def contents_of() -> Callable[[Mapping[str, bytes]], tuple[RemoteFile, ...]]:
    """The contents of an archive as a spec declares them."""
    return lambda members: tuple(
        RemoteFile(name=name, md5=hashlib.md5(data).hexdigest(), size=len(data)) for name, data in members.items()
    )


@pytest.fixture
def image_bytes() -> Callable[..., bytes]:
    """An image file of one colour."""

    def make(value: object = 0, size: tuple[int, int] = (4, 4), mode: str = "L", file_format: str = "PNG") -> bytes:
        stream = io.BytesIO()
        Image.new(mode, size, value).save(stream, file_format)  # type: ignore[arg-type]
        return stream.getvalue()

    return make


def _text(value: str) -> bytes:
    return b"U" + bytes((len(value),)) + value.encode()  # SHORT_BINSTRING: a str of Python 2


@pytest.fixture
def python2_batch() -> Callable[..., bytes]:
    """A CIFAR batch as Python 2 and the numpy of its time pickled it: protocol 2, arrays as byte strings."""

    def make(data: np.ndarray, labels: list[int], key: str = "labels") -> bytes:
        array = (
            b"cnumpy.core.multiarray\n_reconstruct\n"
            + b"cnumpy\nndarray\n"
            + b"K\x00\x85"  # (0,)
            + _text("b")
            + b"\x87R"  # the three arguments, and the call
            + b"(K\x01"  # its state: version 1 ...
            + b"".join(b"M" + struct.pack("<H", side) for side in data.shape)
            + b"\x86"  # ... the shape ...
            + b"cnumpy\ndtype\n"
            + _text("u1")
            + b"K\x00K\x01\x87R"
            + b"(K\x03"
            + _text("|")
            + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"  # ... the dtype ...
            + b"\x89"  # ... not Fortran ...
            + b"T"
            + struct.pack("<I", data.nbytes)
            + data.tobytes()  # ... and the bytes
            + b"tb"
        )
        numbers = b"](" + b"".join(b"K" + bytes((label,)) for label in labels) + b"e"
        return b"\x80\x02}(" + _text("data") + array + _text(key) + numbers + b"u."

    return make


@pytest.fixture
def evil_pickle() -> bytes:
    """A pickle that would run a command."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            import os

            return os.system, ("echo run > evil.txt",)

    return pickle.dumps({"data": Evil(), "labels": []})
