from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.builtin.datasets.registry import SPECS
from harness.plugins import import_module

BY_NAME = {spec.name: spec for spec in SPECS}


def test_the_registry_imports_nothing_heavy() -> None:
    code = (
        "import sys, harness.builtin.datasets.registry as r; "
        "print([m for m in ('numpy', 'torch', 'sklearn', 'PIL', 'pandas') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_every_data_set_of_the_plan_is_there() -> None:
    wanted = "digits gaussian_clusters ring2d grid2d mnist stacked_mnist fashion_mnist kmnist cifar10 cifar100 stl10"
    wanted += " folder npz"
    assert sorted(BY_NAME) == sorted(wanted.split())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_code_behind_every_spec_can_be_imported(spec) -> None:
    assert callable(import_module(spec.load))
    if spec.modes:
        assert len(import_module(spec.modes)().weights) == len(spec.classes)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_points_have_no_extractors_and_images_have_pixels(spec) -> None:
    assert ("pixels" in spec.extractors) == (spec.kind == "images")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (name, {"cifar100": 100, "stacked_mnist": 1000}.get(name, 10))
        for name in BY_NAME
        if BY_NAME[name].shape not in (None, (2,))
    ],
)
def test_class_names_are_as_many_as_the_labels_and_all_different(name, number) -> None:
    assert len(set(BY_NAME[name].classes)) == number


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("mnist", "mnist"),
        ("fashion_mnist", "mnist"),
        ("kmnist", "mnist"),
        ("cifar10", "cifar"),
        ("cifar100", "cifar"),
        ("stl10", "stl10"),
    ],
)
def test_checksums_are_those_that_torchvision_holds(name, module) -> None:
    place = find_spec("torchvision")
    assert place is not None
    assert place.origin is not None
    source = (Path(place.origin).parent / "datasets" / f"{module}.py").read_text()
    for file in BY_NAME[name].files:
        assert f'"{file.md5}"' in source
        assert f'"{file.name}"' in source
        if ".tar" in file.name:
            pairs = dict(re.findall(r'"(\w+(?:\.bin)?)", "([0-9a-f]{32})"', source))
            inside = {content.name.rpartition("/")[2]: content.md5 for content in file.contents}
            assert all(md5 in pairs.values() and (pairs[inner] == md5) for inner, md5 in inside.items())


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.files], ids=lambda spec: spec.name)
def test_every_file_has_an_address_and_a_checksum(spec) -> None:
    for file in spec.files:
        assert file.url is not None
        assert file.url.endswith(file.name)
        assert re.fullmatch("[0-9a-f]{32}", file.md5 or "")
        assert file.contents


def test_sizes_of_idx_files_follow_from_header_and_pixels() -> None:
    sizes = {content.name: content.size for file in BY_NAME["mnist"].files for content in file.contents}
    for prefix, n in (("train", 60_000), ("t10k", 10_000)):
        assert sizes[f"{prefix}-images-idx3-ubyte"] == 16 + n * 28 * 28
        assert sizes[f"{prefix}-labels-idx1-ubyte"] == 8 + n
