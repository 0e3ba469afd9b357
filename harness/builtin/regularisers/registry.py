"""The regularisers that come with the harness."""

from __future__ import annotations

from harness import RegulariserSpec

_HERE = "harness.builtin.regularisers"

SPECS = (
    RegulariserSpec(
        name="lecam",
        summary="squared distance of scores from the other side's moving average (Tseng et al., CVPR 2021)",
        settings=f"{_HERE}.lecam_settings:LecamSettings",
        regulariser=f"{_HERE}.lecam:Lecam",
    ),
)
