"""The architecture, checked: who imports whom, what is cheap to import, and which names the core never says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "harness"
PLUGINS = ROOT / "plugins"

MODULES = sorted(CORE.rglob("*.py"))
TEXTS = sorted(path for path in CORE.rglob("*") if path.suffix in {".py", ".json", ".toml", ".md", ".txt", ".csv"})


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


# -- names that the core never says ----------------------------------------------------------------------

#: methods of the papers that have plugins here or will have
PAPERS = [
    "lcsa",
    "pgmgan",
    "kdd",
    "noise",
    "cagan",
    "cgpgan",
    "dlsgan",
    "aedlsgan",
    "anodlsgan",
    "pvdgan",
    "eni",
    "rni",
]


class Allowed(NamedTuple):
    """A use of a name that is no mention of a method.

    :param where: path below ``harness/``; "" for anywhere.
    :param pattern: what the use looks like.
    """

    name: str
    where: str
    pattern: str
    reason: str


ALLOWED = (
    Allowed("gan", "", r"gan-harness", "the name of this distribution"),
    Allowed("gan", "", r"\bGANs?\b", "the acronym of the field, in prose and citations"),
    Allowed("gan", "methods.py", r'\bclass Gan\b|Stage\("gan"', "the docstring's sketch of any adversarial method"),
    Allowed("noise", "", r"(?<![A-Za-z])[Nn]oise(?![A-Za-z])", "an ordinary word: what generators and laws draw"),
)


@cache
def paper_names() -> frozenset[str]:
    """Every plugin under ``plugins/``, their methods, and the papers' methods."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = set(PAPERS) | set(project["entry-points"]["harness"])
    names |= {folder.name.removeprefix("harness_") for folder in PLUGINS.iterdir() if folder.is_dir()}
    for path in PLUGINS.rglob("plugin.py"):
        names |= set(re.findall(r"MethodSpec\(\s*name=\"([^\"]+)\"", path.read_text(encoding="utf-8")))
    return frozenset(names)


def mentions(text: str, where: str, allowed: tuple[Allowed, ...] = ALLOWED) -> Iterator[tuple[int, str]]:
    """Line number and name of every mention that is not allowed; "_" ends a word, so that `x_lcsa` counts."""
    for number, line in enumerate(text.splitlines(), 1):
        for name in paper_names():
            shown = line
            for use in allowed:
                if use.name == name and use.where in ("", where):
                    shown = re.sub(use.pattern, " ", shown)
            if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", shown, re.IGNORECASE):
                yield number, name


def test_the_search_knows_the_plugins_and_their_methods() -> None:
    assert {"lcsa", "gan", "baselines", "pgmgan"} <= paper_names()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import harness_lcsa", ["lcsa"]),
        ("if method == 'LCSA':", ["lcsa"]),
        ("load('gan')", ["gan"]),
        ("lcsa_gan-harness", ["lcsa"]),
        ("the gan-harness", []),
        ("BigGAN and organ", []),
        ("kddx", []),
    ],
)
def test_the_search_finds_words_and_nothing_else(line: str, found: list[str]) -> None:
    assert [name for _, name in mentions(line, "x.py")] == found


@pytest.mark.parametrize("path", TEXTS, ids=place)
def test_the_core_names_no_method(path: Path) -> None:
    found = mentions(path.read_text(encoding="utf-8"), path.relative_to(CORE).as_posix())
    assert [f"line {number}: {name}" for number, name in found] == []


def test_no_file_of_the_core_is_called_after_a_method() -> None:
    parts = {part for path in CORE.rglob("*") for part in re.split(r"[_./]", path.relative_to(CORE).as_posix())}
    assert parts & paper_names() == set()


@pytest.mark.parametrize("use", ALLOWED, ids=lambda use: f"{use.name}-{use.where or 'anywhere'}-{use.reason[:20]}")
def test_every_exception_is_still_needed(use: Allowed) -> None:
    others = tuple(other for other in ALLOWED if other != use)
    assert any(
        name == use.name
        for path in TEXTS
        for _, name in mentions(path.read_text(encoding="utf-8"), path.relative_to(CORE).as_posix(), others)
    )


# -- who imports whom ------------------------------------------------------------------------------------

#: from the ground up; a module imports its own floor and those below
FLOORS = (
    {"errors", "atomic", "specs", "hookspecs", "spec_rules", "randomness", "capabilities", "networks"},
    {"plugins", "config"},
    {"catalog", "plugin_check", "data", "experiment", "sampling"},
    {"methods", "training", "evaluation"},
    {"results", "doctor"},
    {"leaderboard"},
    {"runs"},
    {"cli"},
    {"__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Full names of the modules that a file imports, and whether for type checking only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checking = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in checking) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)} imports relatively"
            whole = node.module or ""
            # `from harness import specs` imports a module, `from harness import __version__` does not
            parts = [f"{whole}.{alias.name}" for alias in node.names] if whole == "harness" else [whole]
            yield from ((part, node in checking) for part in parts)


def room(module: str) -> str | None:
    """The file or folder right below ``harness`` that a module belongs to; None for what is elsewhere."""
    parts = module.split(".")
    known = len(parts) > 1 and parts[0] == "harness" and (parts[1] in FLOOR or parts[1] == "builtin")
    return parts[1] if known else None


def own_room(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def test_every_room_has_a_floor() -> None:
    assert {own_room(path) for path in MODULES} - set(FLOOR) == {"__init__", "builtin"}
    assert set(FLOOR) == {own_room(path) for path in MODULES} - {"__init__", "builtin"}


@pytest.mark.parametrize("path", [path for path in MODULES if own_room(path) in FLOOR], ids=place)
def test_imports_run_downward_only(path: Path) -> None:
    own = FLOOR[own_room(path)]
    upward = [
        module
        for module, checking in imported(path)
        if not checking and (target := room(module)) in FLOOR and target is not None and FLOOR[target] > own
    ]
    assert upward == []


@pytest.mark.parametrize("path", [path for path in MODULES if own_room(path) != "builtin"], ids=place)
def test_the_core_imports_no_plugin(path: Path) -> None:
    found = [m for m, _ in imported(path) if m.startswith("harness_") or room(m) == "builtin"]
    assert found == []


@pytest.mark.parametrize("path", [path for path in MODULES if own_room(path) == "builtin"], ids=place)
def test_the_builtin_plugin_uses_what_strangers_may_use(path: Path) -> None:
    found = [
        m for m, _ in imported(path) if m.startswith("harness_") or room(m) in {"cli", "runs", "leaderboard", "results"}
    ]
    assert found == []


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=place)
def test_plugins_leave_the_commands_and_the_builtin_plugin_alone(path: Path) -> None:
    found = [m for m, _ in imported(path) if room(m) in {"cli", "runs", "leaderboard", "results", "builtin"}]
    assert found == []


# -- what is cheap to import -----------------------------------------------------------------------------

LIGHT = {"registry.py", "plugin.py", "recipes.py", "config.py"}
HEAVY = {"torch", "torchvision", "numpy", "pandas", "sklearn", "scipy", "matplotlib", "PIL", "lightning_fabric"}


def light_modules() -> list[str]:
    paths = [path for folder in (CORE, PLUGINS) for path in folder.rglob("*.py") if path.name in LIGHT]
    paths += list(CORE.rglob("*_settings.py"))
    base = {True: PLUGINS, False: ROOT}
    return sorted(
        ".".join(path.relative_to(base[path.is_relative_to(PLUGINS)]).with_suffix("").parts) for path in paths
    )


@pytest.mark.parametrize("module", light_modules())
def test_registering_settings_and_recipes_import_nothing_heavy(module: str) -> None:
    code = f"import sys, importlib; importlib.import_module({module!r}); print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_is_cheap_and_its_public_names_are_all_there() -> None:
    code = "import sys, harness; assert 'torch' not in sys.modules; [getattr(harness, n) for n in harness.__all__]"
    code += "; missing = set(harness._LAZY) - set(harness.__all__); assert not missing, missing"
    subprocess.run([sys.executable, "-c", code], check=True)


# -- files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [path for folder in (CORE, PLUGINS, ROOT / "tests") for path in sorted(folder.rglob("*.py"))],
    ids=place,
)
def test_no_file_is_long_and_none_is_a_dumping_ground(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert path.name not in {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}


@pytest.mark.parametrize(
    "path",
    [path for folder in (CORE, PLUGINS) for path in sorted(folder.rglob("*.py")) if path.read_bytes().strip()],
    ids=place,
)
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
