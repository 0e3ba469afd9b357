"""State dicts read as tensors and nothing else, for libraries that would run code from the file."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from harness.errors import EvaluationError


def state_dict(weights: Path) -> dict[str, Tensor]:
    """The tensors by name in a file that :func:`torch.save` wrote, on the CPU."""
    state: dict[str, Tensor] = torch.load(weights, map_location="cpu", weights_only=True)
    return state


def resaved(state: Mapping[str, Tensor]) -> io.BytesIO:
    """A state as a file in memory, for a library that insists on opening one by itself."""
    file = io.BytesIO()
    torch.save(dict(state), file)
    file.seek(0)
    return file


@contextmanager
def fitting(name: str, weights: Path | None) -> Iterator[Path]:
    """Whatever is wrong with the weights of the extractor called `name`, as one line; gives their path."""
    if weights is None:
        raise EvaluationError(f"extractor '{name}' needs a file of weights")
    try:
        yield weights
    except (RuntimeError, TypeError, AttributeError, KeyError, ValueError, pickle.UnpicklingError, EOFError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EvaluationError(f"weights of extractor '{name}' at {weights} do not fit: {reason}") from error
