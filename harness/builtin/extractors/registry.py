"""The built-in feature networks: names, checksums, and where their code is."""

from __future__ import annotations

from harness.specs import ExtractorSpec, RemoteFile, Spec

_HERE = "harness.builtin.extractors"

SPECS: tuple[Spec, ...] = (
    ExtractorSpec(
        name="pixels",
        summary="the pixels themselves, scaled to [0, 1]",
        load=f"{_HERE}.pixels:load",
        accepts="images of any size",
    ),
    ExtractorSpec(
        name="digits-cnn",
        # 98.89 % of the 360 test images of scikit-learn's digits
        summary="small classifier of 8x8 handwritten digits; 64 features before the last rectifier",
        load=f"{_HERE}.small_cnn:load_digits_cnn",
        accepts="8x8, grey",
        weights=RemoteFile(
            name="digits-cnn.pt",
            sha256="4d85539a7e98a5ac3e8b8479a19aef14c4fa1376db33ff46d5cc93894b211f6b",
            size=517237,
        ),
        packaged=f"{_HERE}:digits-cnn.pt",
    ),
)
