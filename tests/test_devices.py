"""The device that was asked for or one line why not, and arithmetic that no caller's setting coarsens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from harness.devices import choose_device, full_precision, upload, without_autocast
from harness.errors import DeviceError


def test_auto_is_the_gpu_when_there_is_one() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("tpu", "unknown device 'tpu'"),
        ("mps", "not supported"),
        ("cuda:77", "cuda:77"),
        ("cpu!", "unknown device"),
        ("cpu:7", "not supported"),
    ],
)
def test_a_device_that_cannot_be_used_is_one_line(asked: str, said: str) -> None:
    with pytest.raises(DeviceError, match=said) as error:
        choose_device(asked)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_without_one_is_refused_with_the_remedy() -> None:
    with pytest.raises(DeviceError, match="use --device cpu"):
        choose_device("cuda")


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that says it has two CUDA devices."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("two_gpus")
def test_one_of_several_devices_is_named_by_its_number() -> None:
    assert choose_device("auto") == torch.device("cuda")
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.usefixtures("two_gpus")
def test_a_number_beyond_the_last_is_refused_with_how_many_there_are() -> None:
    with pytest.raises(DeviceError, match=r"^--device cuda:2, but the last of the 2 CUDA devices is cuda:1$"):
        choose_device("cuda:2")


def coarse() -> tuple[str, bool]:
    return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


@pytest.fixture
def tf32() -> Iterator[None]:
    """TF32 allowed everywhere, as a method may set it."""
    before = coarse()
    torch.set_float32_matmul_precision("medium")
    torch.backends.cudnn.allow_tf32 = True
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


@pytest.mark.usefixtures("tf32")
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_full_precision_lifts_tf32_and_autocast_and_puts_them_back_whatever_happens(device: str) -> None:
    x = torch.randn(4, 4)

    def broken_off() -> None:
        with full_precision(torch.device(device)):
            assert coarse() == ("highest", False)
            assert (x @ x).dtype == torch.float32
            raise RuntimeError("inside")

    with torch.autocast("cpu", torch.bfloat16):
        with pytest.raises(RuntimeError, match="inside"):
            broken_off()
        assert (x @ x).dtype == torch.bfloat16
    assert coarse() == ("medium", True)


def test_without_autocast_is_the_tensors_own_precision_and_lasts_as_long_as_the_block() -> None:
    x = torch.randn(4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        with without_autocast(x):
            assert (x @ x).dtype == torch.float32
            assert (x.double() @ x.double()).dtype == torch.float64
        assert (x @ x).dtype == torch.bfloat16


def test_without_autocast_leaves_the_cpu_alone_for_a_tensor_of_a_device_that_knows_no_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16), without_autocast(torch.empty(4, device="meta")):
        assert torch.is_autocast_enabled("cpu")


def test_an_upload_is_a_copy_from_pinned_memory_for_which_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Pinned:
        def to(self, device: torch.device, non_blocking: bool = False) -> str:
            asked.append((device, non_blocking))
            return "there"

    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: Pinned())
    assert upload(torch.zeros(2), torch.device("cuda", 1)) == "there"
    assert asked == [(torch.device("cuda", 1), True)]
    values = torch.arange(3)
    assert upload(values, torch.device("cpu")) is values  # nothing to wait for, and nothing to pin
