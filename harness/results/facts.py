"""The parts of a record that others compute with: where a run stands, its data, its cost, its surroundings.

What they hold beyond the fields below is kept as it is.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from harness.data.folds import WRITTEN, Fold
from harness.errors import UserError

#: more than any run has; what is larger is no count, and would overflow where it is averaged
_MOST = 10**18

Count = Annotated[int, Field(ge=0, le=_MOST)]
Seconds = Annotated[float, Field(ge=0, le=_MOST)]
Fraction = Annotated[float, Field(gt=0, le=1)]


def _is_fold(text: str) -> str:
    try:
        return str(Fold.parse(text))
    except UserError as error:
        raise ValueError(error.problem) from None


WrittenFold = Annotated[str, Field(pattern=WRITTEN), AfterValidator(_is_fold)]


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False, use_attribute_docstrings=True)


class Coordinates(_Facts):
    """What changes from run to run of one recipe."""

    dataset: str
    fraction: Fraction
    """share of the training data"""
    fold: WrittenFold | None
    """which part of train and test together was held out, as I/N; null for the splits as they are stored"""
    seed: Count


class Data(_Facts):
    """What the run was given."""

    name: str = ""
    train_checksum: str | None = None
    folds_checksum: str | None = None
    """of all folds as one; null without folds"""
    notes: dict[str, Any] = Field(default_factory=dict)
    """facts of the data: a lossy format, a rounding rule"""


class Cost(_Facts):
    """What the run took."""

    parameters: dict[str, Count] = Field(default_factory=dict)
    """by network"""
    steps: Count | None = None
    images_seen: Count = 0
    """real images drawn"""
    training_seconds: Seconds = 0.0
    images_per_second: Seconds | None = None
    evaluation_seconds: Seconds = 0.0
    devices: Annotated[int, Field(ge=1, le=_MOST)] = 1


class Surroundings(_Facts):
    """When and on what it ran."""

    date: str = ""
    commit: str | None = None
    device: str = "cpu"
    device_name: str = ""
    threads: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    packages: dict[str, str] = Field(default_factory=dict)


class Evaluation(_Facts):
    """How some of a record's numbers were measured, and where."""

    settings: dict[str, Any]
    """of the group `evaluation`"""
    environment: Surroundings
