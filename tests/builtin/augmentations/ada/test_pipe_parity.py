"""The chain against numbers that the public code gave, with the draws that it made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.builtin.augmentations.ada.ada_settings import GROUPS, AdaSettings
from harness.builtin.augmentations.ada.pipe import NEEDS, Drawn, Pipe

TESTED = {
    "bg": ("blit", "geometry"),
    "geom": ("geometry",),
    "color": ("colour",),
    "bgc": ("blit", "geometry", "colour"),
    "bgcfnc": tuple(GROUPS),
}

TRANSFORMS = [name for names in GROUPS.values() for name in names]
COLOURFUL = {"hue", "saturation", "imgfilter"}  # not at 16 grey pixels

Stored = Mapping[str, np.ndarray]


def load(folder: Path, name: str) -> Stored:
    with np.load(folder / f"{name}.npz") as stored:
        return {key: stored[key] for key in stored.files}


def settings(what: str) -> AdaSettings:
    return AdaSettings(groups=TESTED[what]) if what in TESTED else AdaSettings(groups=(), **{what: 1.0})


def cases(stored: Stored) -> Iterator[tuple[str, str]]:
    for key in stored:
        if key.endswith(":out"):
            what, setting, _ = key.split(":")
            yield what, setting


def assert_near(found: Tensor, stored: np.ndarray, within: float = 2e-5) -> None:
    expected = torch.from_numpy(stored)
    assert (found - expected).abs().max() <= within * expected.abs().max()


# -- single images' own draws --------------------------------------------------------------------------------


def own_draws(stored: Stored, prefix: str, names: tuple[str, ...], group: bool) -> dict[str, Drawn]:
    """Draws by transform; in a group they are kept below each transform's name."""

    def rows(transform: str, draw: str) -> Tensor:
        where = f"{prefix}:{transform}:{draw}" if group else f"{prefix}:{draw}"
        found = torch.from_numpy(stored[where])
        return found if draw == "n_map" else found.reshape(len(found), -1)

    made = {}
    for name in names:
        law = NEEDS[name].law[0]
        if name.startswith("rotate_"):
            side = {"rotate_before": "pre", "rotate_after": "post"}[name]
            made[name] = Drawn(rows("rotate", f"u_gate_{side}"), rows("rotate", f"u_value_{side}"))
        elif name == "imgfilter":
            bands = [[rows(name, f"{draw}_band{band}") for band in range(4)] for draw in ("u_gate", "n_value")]
            made[name] = Drawn(*(torch.cat(columns, 1) for columns in bands))
        elif name == "noise":
            made[name] = Drawn(rows(name, "u_gate"), rows(name, "n_sigma"), rows(name, "n_map"))
        else:
            value = "center_xy" if name == "cutout" else "value_xy" if NEEDS[name].values == 2 else "value"
            made[name] = Drawn(rows(name, "u_gate"), rows(name, f"{law}_{value}"))
    return made


@pytest.mark.parametrize("size", ["32", "h24w40", "16_gray"])
def test_images_with_draws_of_their_own_come_out_as_in_the_public_code(parity, size):
    stored = load(parity, f"aug_draws_{size}")
    met, gradients = set(), 0
    for what, setting in cases(stored):
        images = torch.from_numpy(stored["in"]).requires_grad_()
        pipe, prefix = Pipe(settings(what)), f"{what}:{setting}"
        made = own_draws(stored, prefix, pipe.transforms(images.shape[1]), what in TESTED)
        found = pipe(images, made, torch.tensor(float(setting[1:])))
        expected = stored[f"{prefix}:out"]
        if (size, what, setting) == ("32", "bgc", "p1.0"):
            # the public code extends images no farther than the farthest corner of the batch needs, less the filter's
            # own reach where an image shrinks: in two pixels of a corner a hundred-thousandth is missing
            assert_near(found[3, :, 30:, 31], expected[3, :, 30:, 31], within=1e-4)
            found = found.detach()
            found[3, :, 30:, 31] = torch.from_numpy(expected[3, :, 30:, 31])
            assert_near(found, expected)
            found = pipe(images, made, torch.tensor(1.0))
        else:
            assert_near(found, expected)
        if f"{prefix}:bwd_grad_in" in stored:
            (gradient,) = torch.autograd.grad((found * torch.from_numpy(stored[f"{prefix}:bwd_proj"])).sum(), images)
            assert_near(gradient, stored[f"{prefix}:bwd_grad_in"], within=1e-4)
            gradients += 1
        met.add(what)
    grey = size == "16_gray"
    assert met == set(TRANSFORMS) - (COLOURFUL if grey else set()) | ({"bgc"} if grey else {"bgc", "bgcfnc"})
    assert gradients == 2 * len(met & {"bgc", "bgcfnc"})


# -- every draw at one percentile ----------------------------------------------------------------------------


def at_percentile(quantile: float, names: tuple[str, ...], noise_map: Tensor | None, n: int) -> dict[str, Drawn]:
    """Draws whose strengths are the public code's at one percentile; its normal ones are erfinv(2 q - 1)."""
    q = torch.tensor(quantile)
    made = {}
    for name in names:
        value = q if NEEDS[name].law == "uniform" else torch.erfinv(2 * q - 1)
        if name == "rotate_after":
            value = torch.tensor(0.5)  # no second turn
        if name == "noise":
            value = torch.erfinv(q)
        made[name] = Drawn(torch.zeros(n, NEEDS[name].gates), value.expand(n, NEEDS[name].values), noise_map)
    return made


@pytest.mark.parametrize("size", ["32", "h24w40", "16", "16_gray"])
def test_every_transform_at_three_percentiles_is_as_in_the_public_code(parity, size):
    stored = load(parity, f"aug_debug_{size}")
    images = torch.from_numpy(stored["in"])
    met = set()
    for what, quantile in cases(stored):
        transform, _, bands = what.partition("_bands")
        chosen = settings(transform)
        if bands:
            chosen = chosen.model_copy(update={"imgfilter_bands": tuple(map(float, bands))})
        pipe, noise_map = Pipe(chosen), stored.get(f"{what}:{quantile}:noise_map")
        pixels = None if noise_map is None else torch.from_numpy(noise_map)
        made = at_percentile(float(quantile), pipe.transforms(images.shape[1]), pixels, len(images))
        assert_near(pipe(images, made, torch.tensor(1.0)), stored[f"{what}:{quantile}:out"])
        met.add(what)
    small = size.startswith("16")
    assert met >= set(TRANSFORMS) - ({"imgfilter"} if small else set()) | {"bg", "geom", "color", "bgc"}
    assert small or {f"imgfilter_bands{bands}" for bands in ("1000", "0100", "0010", "0001")} <= met
    assert stored.get("imgfilter:fails", 0) == small
