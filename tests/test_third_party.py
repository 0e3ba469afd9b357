"""A stranger's distribution, pip-installed beside a broken one: it is found, trains, and is evaluated."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[1] / "docs" / "example_plugin"

BROKEN_PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "harness-unlucky"
version = "2.5"

[project.entry-points.harness]
unlucky = "harness_unlucky"

[tool.hatch.build.targets.wheel]
packages = ["harness_unlucky.py"]
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a Python that sees the example plugin and a broken one, beside the harness."""
    root = tmp_path_factory.mktemp("third_party")
    shutil.copytree(EXAMPLE, root / "toy", ignore=shutil.ignore_patterns("__pycache__", "dist"))
    (root / "unlucky").mkdir()
    (root / "unlucky" / "pyproject.toml").write_text(BROKEN_PROJECT)
    (root / "unlucky" / "harness_unlucky.py").write_text("raise ImportError('no\\nluck')\n")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(root / "site")]
    subprocess.run([*install, *options, root / "toy", root / "unlucky"], check=True, capture_output=True, text=True)
    return os.environ | {"PYTHONPATH": str(root / "site"), "OMP_NUM_THREADS": "1"}


def harness(environment: dict[str, str], *words: str | Path) -> str:
    """What the command prints; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def plugins(environment: dict[str, str]) -> dict[str, Any]:
    """The plugins that the command lists, by name."""
    listed = json.loads(harness(environment, "plugins", "--json"))
    return {plugin["name"]: plugin for plugin in listed["plugins"]}


def test_the_stranger_is_listed_with_what_it_offers(plugins: dict[str, Any]) -> None:
    toy = plugins["toy"]
    assert (toy["status"], toy["distribution"], toy["version"]) == ("ok", "harness-toy", "0.1.0")
    assert toy["offers"] == {"method": ["toy"], "recipe": ["toy/mlp"]}


def test_the_broken_one_is_reported_on_one_line(plugins: dict[str, Any]) -> None:
    unlucky = plugins["unlucky"]
    assert (unlucky["status"], unlucky["distribution"], unlucky["version"]) == ("broken", "harness-unlucky", "2.5")
    assert unlucky["error"] == "import of harness_unlucky raised ImportError: no luck"


def test_nobody_else_is_disturbed(plugins: dict[str, Any]) -> None:
    assert [name for name, plugin in plugins.items() if plugin["status"] != "ok"] == ["unlucky"]
    assert next(iter(plugins)) == "builtin"


def test_the_deep_listing_imports_the_stranger(environment: dict[str, str]) -> None:
    deep = json.loads(harness(environment, "plugins", "--deep", "--json"))
    assert deep["failures"] == []


def test_its_method_trains_and_is_evaluated(environment: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["--plugin", "toy", "--dataset", "ring2d", "--scale", "tiny", "--steps", "40"]
    harness(environment, "run", *words, "--set", "evaluation.samples=500", "--out", out)
    record = json.loads((out / "results.json").read_text())
    assert (record["method"], record["recipe"], record["dataset"]) == ("toy", "toy/mlp+changed", "ring2d")
    assert record["cost"]["steps"] == 40
    metrics = {entry["metric"] for entry in record["metrics"]}
    assert {"modes", "high_quality_pct", "reverse_kl"} <= metrics
    assert all(entry["protocol_id"] for entry in record["metrics"])


def test_the_example_is_short() -> None:
    method = (EXAMPLE / "harness_toy" / "method.py").read_text()
    code = [line for line in method[method.index("class Toy:") :].splitlines() if line.strip()]
    assert len(code) <= 30
