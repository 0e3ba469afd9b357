"""All spectral norms of a network at once: few operations where layers that each take their own make many small ones.

On an accelerator a step of a spectrally normalised network is bound by how many operations are launched, not by their
arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from harness.devices import without_autocast
from harness.layers.spectral import Given, SpectralNorm

T = TypeVar("T")


@contextmanager
def spectral_norms(network: nn.Module) -> Iterator[None]:
    """The network's forward pass goes inside; every spectrally normalised layer then finds its weight divided.

    One step of power iteration is taken for all of them on entering, and kept on leaving by those that were called in
    training mode. However often a layer is called in between, its step is that one. The numbers are those of layers
    that each take their own step, up to rounding.
    """
    layers = spectral_layers(network)
    if not layers:
        yield
        return
    for (norm, _), given in zip(layers, _together(layers), strict=True):
        norm.given = given
    try:
        yield
    finally:
        moved = [(norm.u, norm.given.u) for norm, _ in layers if norm.given and norm.given.taken and norm.training]
        for norm, _ in layers:
            norm.given = None
        if moved:
            with torch.no_grad():
                torch._foreach_copy_([u for u, _ in moved], [u for _, u in moved])


def spectral_layers(network: nn.Module) -> list[tuple[SpectralNorm, Tensor]]:
    """Norms and weights of the network's layers that no pass under way has given anything yet.

    Those that use all of their weight come first. A layer is any module with a ``weight`` and a :class:`SpectralNorm`
    named ``normalise``.
    """
    found: dict[SpectralNorm, Tensor] = {}
    for module in network.modules():
        norm, weight = module._modules.get("normalise"), getattr(module, "weight", None)
        if isinstance(norm, SpectralNorm) and norm.given is None and isinstance(weight, Tensor):
            found[norm] = weight
    return sorted(found.items(), key=lambda layer: not layer[0].whole)


def _together(layers: list[tuple[SpectralNorm, Tensor]]) -> list[Given]:
    weights = [weight for _, weight in layers]
    whole = sum(norm.whole for norm, _ in layers)
    # where no gradients are recorded the function is called as it is: torch.func's forward derivatives refuse `apply`
    recorded = torch.is_grad_enabled() and any(weight.requires_grad for weight in weights)
    divide = Quotients.apply if recorded else Quotients.forward
    with without_autocast(weights[0]):
        made = divide(whole, [norm.u for norm, _ in layers], [norm.eps for norm, _ in layers], *weights)
    quotients, sigmas, us, _, _ = _parts(made, whole)
    padded = [*quotients, *[None] * (len(layers) - whole)]
    return [Given(*of_one) for of_one in zip(weights, padded, sigmas, us, strict=True)]


def _parts(made: Sequence[T], whole: int) -> tuple[Sequence[T], ...]:
    """What :class:`Quotients` returns, kind by kind: the first `whole`, then four equal parts."""
    n = (len(made) - whole) // 4
    return made[:whole], *(made[whole + k * n : whole + (k + 1) * n] for k in range(4))


class Quotients(torch.autograd.Function):
    """W / sigma(W) with sigma = u^T W v, for many W at once; u and v constant, Miyato et al. (2018), appendix A.

    The right vectors r = W^T u keep their lengths, v = r / |r|: only numbers are divided by those, not vectors.
    Derivatives are right to any order, since the backward is made of operations on this function's own results.
    """

    @staticmethod
    def forward(whole: int, us: Sequence[Tensor], eps: Sequence[float], *weights: Tensor) -> tuple[Tensor, ...]:
        """One step of power iteration, from left vectors `us` [rows] of `weights` [rows, ...].

        :param whole: how many of the weights, from the first, are divided.
        :param eps: smallest norms that the vectors are divided by.
        :returns: the quotients; then of every weight sigma [], then u [rows], then r [columns], then |r| [].
        """
        matrices = [weight.flatten(1) for weight in weights]
        rs = [torch.mv(matrix.t(), u) for matrix, u in zip(matrices, us, strict=True)]
        r_norms = torch._foreach_norm(rs)
        torch._foreach_clamp_min_(r_norms, eps)
        products = [torch.mv(matrix, r) for matrix, r in zip(matrices, rs, strict=True)]
        norms = torch._foreach_norm(products)
        torch._foreach_div_(norms, r_norms)  # |W v|
        divisors = torch._foreach_clamp_min(norms, eps)
        moved = torch._foreach_div(products, torch._foreach_mul(divisors, r_norms))
        # u^T W v = |W v|^2 / max(|W v|, eps)
        sigmas = torch._foreach_mul(norms, torch._foreach_div(norms, divisors))
        quotients = torch._foreach_div(weights[:whole], sigmas[:whole]) if whole else ()
        return (*quotients, *sigmas, *moved, *rs, *r_norms)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        whole, _, _, *weights = inputs
        ctx.whole, ctx.shapes = whole, [weight.shape for weight in weights]
        quotients, sigmas, *constants = _parts(output, whole)
        # so that nobody who uses the quotient of a frozen weight works out a gradient for it
        made = [*zip(quotients, weights[:whole], strict=True), *zip(sigmas, weights, strict=True)]
        frozen = [result for result, weight in made if not weight.requires_grad]
        ctx.mark_non_differentiable(*frozen, *(result for of_all in constants for result in of_all))
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """(G - <G, W / sigma> u v^T) / sigma + g u v^T, for gradients G of W / sigma and g of sigma.

        None for a weight that nobody used.
        """
        quotients, sigmas, us, rs, r_norms = _parts(ctx.saved_tensors, ctx.whole)
        of_quotients, of_sigmas, *_ = _parts(gradients, ctx.whole)
        needed = ctx.needs_input_grad[-len(us) :]
        found: list[Tensor | None] = [None] * len(us)
        with without_autocast(us[0]):
            used = [(i, g.flatten(1)) for i, g in enumerate(of_quotients) if needed[i] and g is not None]
            if used:
                shares = [torch.dot(g.flatten(), quotients[i].flatten()) for i, g in used]
                scales = torch._foreach_div(shares, [r_norms[i] for i, _ in used])
                lefts = torch._foreach_mul([us[i] for i, _ in used], scales)
                rests = [torch.addr(g, u, rs[i], alpha=-1) for (i, g), u in zip(used, lefts, strict=True)]
                for (i, _), made in zip(used, torch._foreach_div(rests, [sigmas[i] for i, _ in used]), strict=True):
                    found[i] = made.view(ctx.shapes[i])
            for i, g in enumerate(of_sigmas):
                if needed[i] and g is not None:
                    outer = torch.outer(us[i] * (g / r_norms[i]), rs[i]).view(ctx.shapes[i])
                    before = found[i]
                    found[i] = outer if before is None else before + outer
        return (None, None, None, *found)
