"""Unpickling that can make numpy arrays and plain values, and nothing else: a pickle that runs code is refused."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct

from harness.errors import DataError

#: what the pickle of an array refers to up to protocol 4, by the names that numpy 1 and numpy 2 write
ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}, which is no plain data")
        return ADMITTED[module, name]


def loads(data: bytes, where: str) -> Any:
    """The value in a pickle; strings of Python 2 are read as Latin-1, as numpy's arrays of that time need.

    :param where: what to call the pickle in an error.
    :raises DataError: where it is broken, or refers to anything but arrays and plain values.
    """
    try:
        return _Restricted(io.BytesIO(data), encoding="latin1").load()
    except Exception as error:  # a broken pickle can raise anything
        raise DataError(f"{where} is no safe pickle of arrays: {str(error) or type(error).__name__}") from error
