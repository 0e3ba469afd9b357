"""Notices what a step would make the host of an accelerator wait for, without an accelerator.

Tensors of the step are on torch's meta device, which holds no numbers: whoever looks at one (``item``, ``tolist``,
``nonzero``, indexing by bools) raises there and then. What else would wait, or fail, on a real device is noted here:
values of the host that are copied to the device, and operations on tensors of both.
"""

from __future__ import annotations

import traceback
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")

COPIES = ("aten::_to_copy", "aten::copy_")


class HostWaits(TorchDispatchMode):
    """Notes, while it is entered, the operations that wait or mix devices.

    :ivar found: what was noted, each with the place in the tree that asked for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = any(tensor.is_meta for tensor in given) or kwargs.get("device") == META
        if there and any(not tensor.is_meta and tensor.dim() for tensor in given):
            place = asked_by()
            if func.name().split(".")[0] not in COPIES:
                self.found.append(f"{place}: {func.name()} of tensors on both devices")
            elif "in upload" not in place:
                self.found.append(f"{place}: {func.name()} from the host")
        return func(*args, **kwargs)


def asked_by() -> str:
    """The innermost line of the harness, of a plugin or of a stand-in."""
    for frame in reversed(traceback.extract_stack()):
        ours = any(f"/{room}/" in frame.filename for room in ("harness", "plugins", "stand_ins"))
        if ours and "/site-packages/" not in frame.filename:
            return f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} in {frame.name}"
    return "outside"
