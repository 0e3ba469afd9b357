"""The built-in feature networks: names, checksums, and where their code is."""

from __future__ import annotations

from harness.specs import ExtractorSpec, RemoteFile

_HERE = "harness.builtin.extractors"

SPECS: tuple[ExtractorSpec, ...] = (
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
    ExtractorSpec(
        name="mnist-cnn",
        # 99.54 % of the 10,000 test images of MNIST
        summary="small classifier of MNIST digits; 64 features before the last rectifier",
        load=f"{_HERE}.small_cnn:load_mnist_cnn",
        accepts="28x28 (padded to 32x32 with zeros) or 32x32, grey",
        weights=RemoteFile(
            name="mnist-cnn.pt",
            sha256="f9206d0209531a03d781b0600a8bc59f91b50c7ab693c385b7ee731c06aabb41",
            size=517203,
        ),
        packaged=f"{_HERE}:mnist-cnn.pt",
    ),
)
