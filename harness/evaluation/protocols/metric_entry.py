"""One measured number as the record of a run keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from harness.evaluation.protocols.protocol import Plain

#: far from where means of it would overflow
Number = Annotated[float, Field(ge=-1e300, le=1e300)]


class MetricEntry(BaseModel):
    """A number, how it was measured (protocol), of what (subject), and in which run (replicate)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    metric: str
    """short name, one for good: fd, is, precision, ..."""
    value: Number
    std_error: Number | None = None
    """standard error of the value; null where none is meaningful"""
    std_error_of: str | None = None
    """what varies in that standard error: "sampling", "splits", "seeds" """
    protocol_id: str
    protocol: dict[str, Plain]
    """everything about the measuring, field by field"""
    subject: dict[str, str] = Field(default_factory=dict)
    """what of the method was measured, e.g. weights: ema"""
    replicate: dict[str, int | str | None] = Field(default_factory=dict)
    """which repetition: seed, fold"""
    counts: dict[str, int] = Field(default_factory=dict)
    """items by role: real, generated"""
    higher_is_better: bool | None = None
    """null where neither direction is better"""
    seconds: float = Field(0.0, ge=0)
    """time for this number, and for the evidence that was first made for it"""
    remark: str | None = None
    """what a reader should know before trusting the value"""
    details: dict[str, float] = Field(default_factory=dict)
    """numbers beside the value: its parts, its spread"""
    evaluation: int = Field(0, ge=0)
    """which of the record's evaluations measured it, from 0"""


def entry_key(entry: Mapping[str, Any]) -> str:
    """What two entries share that are the same number of two runs: the whole protocol, and the subject.

    :param entry: as plain data.
    """
    return json.dumps([entry["metric"], entry["protocol"], entry["subject"]], sort_keys=True)
