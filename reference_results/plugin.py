"""Offers the papers' numbers to the harness, one folder a paper."""

from __future__ import annotations

from collections.abc import Callable

from harness import ReferenceSpec, hookimpl

CITATIONS = {
    "cho_thesis": "Cho, Deep Generative Models and Their Inversions For Bidirectional Transformation Between Data and "
    "Latent Distributions, thesis, Concordia University, 2025",
    "kdd_gan": "Lemkhenter, Bielski, Sari and Favaro, Generative Adversarial Learning via Kernel Density "
    "Discrimination, 2021",
    "lcsa": "Ni, Koniusz, Hartley and Nock, Manifold Learning Benefits GANs, CVPR 2022",
    "noise_injection": "Feng, Zhao and Zha, Understanding Noise Injection in GANs, ICML 2021",
    "pgmgan": "Armandpour, Sadeghian, Li and Zhou, Partition-Guided GANs, CVPR 2021",
}


@hookimpl
def harness_register_references(register: Callable[[ReferenceSpec], None]) -> None:
    """Register the tables of each paper."""
    for paper, citation in CITATIONS.items():
        register(ReferenceSpec(name=paper, summary=citation, folder=f"reference_results:{paper}"))
