"""Jacobians of networks at one latent, and the squares of their singular values. d: latent elements, F: outputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

#: a function of latents [1, ...] with named outputs [1, ...]
Outputs = Callable[[Tensor], Mapping[str, Tensor]]

#: latent elements that are followed at once
DIRECTIONS = 32


def jacobians(outputs: Outputs, at: Tensor) -> dict[str, Tensor]:
    """Derivatives of each output by each element of the latent `at` [1, ...]: by name, [d, F].

    Forward through the network, many directions at once, where all of its parts can do that (custom kernels cannot, nor
    can maps in channels-last order be followed many at once); else twice backward, one after another. Both are exact.
    """
    try:
        return forward_jacobians(outputs, at)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # torch's word for a part without a forward derivative, or one that vmap does not take
        return backward_jacobians(outputs, at)


def forward_jacobians(outputs: Outputs, at: Tensor) -> dict[str, Tensor]:
    """Forward-mode derivatives, DIRECTIONS at once; the passes share all randomness."""

    def along(direction: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = torch.func.jvp(lambda latent: dict(outputs(latent)), (at,), (direction,))[1]
        return found

    found: dict[str, list[Tensor]] = {}
    with torch.no_grad(), warnings.catch_warnings():
        # torch compiles some of its forward derivatives in a way that it calls deprecated itself
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
        for directions in _basis(at).split(DIRECTIONS):
            for name, rows in torch.func.vmap(along, randomness="same")(directions).items():
                found.setdefault(name, []).append(rows.flatten(1))
    return {name: torch.cat(rows) for name, rows in found.items()}


def backward_jacobians(outputs: Outputs, at: Tensor) -> dict[str, Tensor]:
    """Forward derivatives by reverse mode alone: J e is the derivative of J^T u by u along e."""
    with torch.enable_grad():
        latent = at.detach().clone().requires_grad_()
        return {name: _forwarded(output, latent) for name, output in outputs(latent).items()}


def _forwarded(output: Tensor, latent: Tensor) -> Tensor:
    weights = torch.zeros_like(output, requires_grad=True)
    nothing = output.new_zeros(latent.numel(), output.numel())
    if not output.requires_grad:
        return nothing
    (pulled,) = torch.autograd.grad(output, latent, weights, create_graph=True, allow_unused=True)
    if pulled is None or not pulled.requires_grad:
        return nothing
    rows = [
        torch.autograd.grad(pulled, weights, direction, retain_graph=True, allow_unused=True)[0]
        for direction in _basis(latent)
    ]
    return torch.stack([row.flatten() if row is not None else nothing[0] for row in rows])


def _basis(at: Tensor) -> Tensor:
    """Unit vectors, [d, *shape of at]."""
    return torch.eye(at.numel(), device=at.device, dtype=at.dtype).reshape(-1, *at.shape)


def squared_singular_values(jacobian: Tensor) -> Tensor:
    """Jacobian [d, F] to the squares of its singular values, largest first: float64 [min(d, F)], not negative.

    From the smaller of J J^T and J^T J: what is asked of them is which reach a hundredth of the largest, far above the
    digits that the squaring costs.
    """
    rows = jacobian if jacobian.shape[0] <= jacobian.shape[1] else jacobian.T
    gram = rows.new_zeros(len(rows), len(rows), dtype=torch.float64)
    for part in rows.split(2**16, dim=1):
        gram += part.double() @ part.double().T
    found: Tensor = torch.linalg.eigvalsh(gram).flip(0).clamp(min=0).cpu()
    return found
