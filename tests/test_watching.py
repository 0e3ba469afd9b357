"""Watching a run: every watcher hears what its hook says, and one that fails disturbs nobody."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.plugins import Plugins

Watching = Callable[..., Plugins]


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    """Plugins with the given sources, each a module called ``watcher_NAME``."""

    def opened(**sources: str) -> Plugins:
        for name, source in sources.items():
            module = ModuleType(f"watcher_{name}")
            exec(textwrap.dedent(source), module.__dict__)
            monkeypatch.setitem(sys.modules, module.__name__, module)
        return Plugins(found=[EntryPoint(name, f"watcher_{name}", "harness") for name in sources])

    return opened


WATCHER = """
    from harness import hookimpl

    seen = []

    @hookimpl
    def harness_step_finished(step, values):
        seen.append((step, values))
        {body}
"""


@pytest.mark.parametrize("body", ["raise OSError('disk\\nfull')", "raise SystemExit('disk full')"])
def test_a_watcher_that_raises_is_reported_once_and_the_others_still_hear(watching: Watching, body: str) -> None:
    plugins = watching(bad=WATCHER.format(body=body), good=WATCHER.format(body=""))
    reports: list[str] = []
    for step in (1, 2):
        plugins.watch("harness_step_finished", reports.append, stage="gan", step=step, values={"loss": 0.5})
    kind = body.split("(")[0].removeprefix("raise ")
    assert reports == [f"plugin 'bad': harness_step_finished raised {kind}: disk full"]
    for name in ("watcher_bad", "watcher_good"):
        assert sys.modules[name].seen == [(1, {"loss": 0.5}), (2, {"loss": 0.5})]


def test_ctrl_c_in_a_watcher_stops_the_run(watching: Watching) -> None:
    plugins = watching(w=WATCHER.format(body="raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        plugins.watch("harness_step_finished", print, stage="gan", step=1, values={})


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        ("harness_run_started", {"experiment": {"recipe": "r"}, "folder": Path("runs/x")}),
        ("harness_step_finished", {"stage": "gan", "step": 7, "values": {"loss": 1.0}}),
        ("harness_evaluated", {"step": 7, "metrics": [{"metric": "fd"}], "folder": Path("runs/x")}),
        ("harness_run_finished", {"record": {"recipe": "r"}, "folder": Path("runs/x")}),
    ],
)
def test_every_watching_hook_hands_over_what_it_says(watching: Watching, hook: str, arguments: dict[str, Any]) -> None:
    names = ", ".join(arguments)
    source = f"from harness import hookimpl\nseen = []\n@hookimpl\ndef {hook}({names}): seen.append(({names}))"
    plugins = watching(w=source)
    plugins.watch(hook, pytest.fail, **arguments)
    assert sys.modules["watcher_w"].seen == [tuple(arguments.values())]
