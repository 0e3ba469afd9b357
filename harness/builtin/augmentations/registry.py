"""The augmentations that come with the harness."""

from __future__ import annotations

from harness import AugmentationSpec

_HERE = "harness.builtin.augmentations"

SPECS = (
    AugmentationSpec(
        name="diffaugment",
        summary="random colour, shifts and holes at fixed strength (Zhao et al., NeurIPS 2020)",
        settings=f"{_HERE}.diffaugment_settings:DiffAugmentSettings",
        augmentation=f"{_HERE}.diffaugment:DiffAugment",
    ),
    AugmentationSpec(
        name="ada",
        summary="random transforms, as often as the discriminator overfits (Karras et al., NeurIPS 2020)",
        settings=f"{_HERE}.ada.ada_settings:AdaSettings",
        augmentation=f"{_HERE}.ada.ada:Ada",
    ),
)
