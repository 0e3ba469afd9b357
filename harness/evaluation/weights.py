"""Files of weights (placeholder until the real module lands)."""

from __future__ import annotations

from harness.specs import ExtractorSpec


def weights_sha256(spec: ExtractorSpec) -> str | None:
    """The checksum of the weights in use."""
    return spec.weights.sha256 if spec.weights else None
