"""The architecture, so far as no linter says it: names the core never says, public rooms, cheap imports, files.

Who imports whom is held by import-linter (``[tool.importlinter]`` in pyproject.toml, run by ``make check``).
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "harness"
PLUGINS = ROOT / "plugins"

MODULES = sorted(CORE.rglob("*.py"))
SOURCES = [*MODULES, *sorted(PLUGINS.rglob("*.py"))]
TEXTS = sorted(path for path in CORE.rglob("*") if path.suffix in {".py", ".json", ".toml", ".md", ".txt", ".csv"})


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


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
    Allowed("gan", "contracts/method.py", r'\bclass Gan\b|Stage\("gan"', "the sketch of any adversarial method"),
    Allowed("noise", "", r"(?<![A-Za-z])[Nn]oise(?![A-Za-z])", "an ordinary word: what generators and laws draw"),
)


@cache
def paper_names() -> frozenset[str]:
    """Every plugin under ``plugins/``, their methods, and the papers' methods."""
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    names = set(PAPERS) | set(project["entry-points"]["harness"])
    names |= {folder.name.removeprefix("harness_") for folder in PLUGINS.iterdir() if folder.is_dir()}
    for path in PLUGINS.rglob("plugin.py"):
        names |= set(re.findall(r"MethodSpec\(\s*name=\"([^\"]+)\"", read(path)))
    return frozenset(names)


@cache
def search() -> re.Pattern[str]:
    """Any of the names as a word; "_" ends a word, so that `x_lcsa` counts."""
    either = "|".join(map(re.escape, sorted(paper_names())))
    return re.compile(rf"(?<![A-Za-z0-9])({either})(?![A-Za-z0-9])", re.IGNORECASE)


def mentions(text: str, where: str, allowed: tuple[Allowed, ...] = ALLOWED) -> Iterator[tuple[int, str]]:
    """Line number and name of every mention that is not allowed."""
    for number, line in enumerate(text.splitlines(), 1):
        for name in {found.lower() for found in search().findall(line)}:
            shown = line
            for use in allowed:
                if use.name == name and use.where in ("", where):
                    shown = re.sub(use.pattern, " ", shown)
            if name in {found.lower() for found in search().findall(shown)}:
                yield number, name


def mentioned(allowed: tuple[Allowed, ...] = ALLOWED) -> list[tuple[str, int, str]]:
    """File, line and name of every mention in the core."""
    found = []
    for path in TEXTS:
        where = path.relative_to(CORE).as_posix()
        found += [(where, number, name) for number, name in mentions(read(path), where, allowed)]
    return found


def test_the_search_finds_words_and_nothing_else() -> None:
    assert {"lcsa", "gan", "baselines", "pgmgan"} <= paper_names()
    lines = {
        "import harness_lcsa": ["lcsa"],
        "if method == 'LCSA':": ["lcsa"],
        "load('gan')": ["gan"],
        "lcsa_gan-harness": ["lcsa"],
        "the gan-harness": [],
        "BigGAN and organ": [],
        "kddx": [],
    }
    assert {line: [name for _, name in mentions(line, "x.py")] for line in lines} == lines


def test_the_core_names_no_method() -> None:
    assert mentioned() == []


def test_every_exception_is_still_needed() -> None:
    needed = [use for use in ALLOWED if use.name in {name for _, _, name in mentioned(_without(use))}]
    assert needed == list(ALLOWED)


def _without(use: Allowed) -> tuple[Allowed, ...]:
    return tuple(other for other in ALLOWED if other != use)


def test_no_file_of_the_core_is_called_after_a_method() -> None:
    parts = {part for path in CORE.rglob("*") for part in re.split(r"[_./]", path.relative_to(CORE).as_posix())}
    assert parts & paper_names() == set()


# -- what plugins may open -------------------------------------------------------------------------------

#: all that a plugin imports of the harness, the harness's own plugin included; everything else may change
PUBLIC = {
    "harness",
    "harness.clustering",
    "harness.contracts",
    "harness.data",
    "harness.errors",
    "harness.evaluation",
    "harness.layers",
    "harness.randomness",
}


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, for type checking and inside of functions too."""
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)} imports relatively"
            yield node.module or ""


def beyond(path: Path, own: str) -> list[str]:
    """Modules of the harness that a plugin's file imports and may not."""
    ours = (module for module in imported(path) if module.split(".")[0] == "harness")
    return [module for module in ours if module not in PUBLIC and not module.startswith(own)]


def test_plugins_open_public_rooms_only() -> None:
    own = {path: "harness.builtin" for path in MODULES if path.is_relative_to(CORE / "builtin")}
    strangers = [*PLUGINS.rglob("*.py"), *(ROOT / "docs/example_plugin").rglob("*.py")]
    files = own | dict.fromkeys([*strangers, *(ROOT / "reference_results").rglob("*.py")], "nothing of their own")
    assert {place(path): found for path, prefix in sorted(files.items()) if (found := beyond(path, prefix))} == {}


def test_nobody_imports_a_plugin_but_itself() -> None:
    core = [path for path in MODULES if not path.is_relative_to(CORE / "builtin")]
    found = [(place(path), m) for path in core for m in imported(path) if m.startswith(("harness_", "harness.builtin"))]
    for folder in PLUGINS.iterdir():
        for path in folder.rglob("*.py"):
            found += [(place(path), m) for m in imported(path) if re.match(rf"harness_(?!{folder.name[8:]}\b)", m)]
    assert found == []


# -- what is cheap to import -----------------------------------------------------------------------------

LIGHT = re.compile(r"(registry|plugin|recipes|config|settings|\w+_settings|\w+_recipes)\.py")
HEAVY = {"torch", "torchvision", "numpy", "pandas", "sklearn", "scipy", "matplotlib", "PIL", "lightning_fabric"}


def module_name(path: Path) -> str:
    base = PLUGINS if path.is_relative_to(PLUGINS) else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts)


def test_registering_settings_and_recipes_import_nothing_heavy() -> None:
    light = [module_name(path) for path in SOURCES if LIGHT.fullmatch(path.name)]
    assert len(light) > 15
    code = (
        f"import sys, importlib\nfor name in {light!r}:\n importlib.import_module(name)\n"
        f" found = {HEAVY} & set(sys.modules)\n if found: sys.exit(f'{{name}} imports {{found}}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize(
    "package", ["harness", "harness.contracts", "harness.data", "harness.evaluation", "harness.layers"]
)
def test_a_public_room_is_cheap_to_import_and_all_its_names_are_there(package: str) -> None:
    code = (
        f"import sys, {package} as room\nassert not {HEAVY} & set(sys.modules)\n"
        "assert room.__all__ == sorted(set(room.__all__))\n[getattr(room, name) for name in room.__all__]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""


# -- files -----------------------------------------------------------------------------------------------


def test_no_file_is_long_and_none_is_a_dumping_ground() -> None:
    files = [*SOURCES, *(ROOT / "tests").rglob("*.py")]
    dumps = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [place(path) for path in files if len(read(path).splitlines()) > 400 or path.name in dumps] == []


def test_every_file_says_what_it_is() -> None:
    silent = [place(path) for path in SOURCES if read(path).strip() and not ast.get_docstring(ast.parse(read(path)))]
    assert silent == []


def neighbours() -> dict[Path, set[Path]]:
    """By folder of the core, the folders whose files its files import, and the one that it lies in."""
    found: dict[Path, set[Path]] = defaultdict(set)
    for path in MODULES:
        found[path.parent].add(path.parent.parent)
        for module in imported(path):
            target = ROOT / Path(*module.split("."))
            found[path.parent].add(target if target.is_dir() else target.parent)
    return found


def test_no_two_files_of_one_name_in_neighbouring_rooms() -> None:
    # a command's file bears the command's name, whatever does the work
    rooms = {room: others - {CORE / "cli"} for room, others in neighbours().items() if room != CORE / "cli"}
    names = {room: {path.name for path in room.glob("*.py")} - {"__init__.py"} for room in {p.parent for p in MODULES}}
    found = [
        f"{place(room)} and {place(other)}: {', '.join(sorted(shared))}"
        for room, others in sorted(rooms.items())
        for other in sorted(others - {room})
        if (shared := names.get(room, set()) & names.get(other, set()))
    ]
    assert found == []


#: files that only list what there is: tests/registered tests all of it
LISTS = re.compile(r"(__init__|__main__|registry|plugin|recipes|\w+_recipes)\.py")


def does_something(path: Path) -> bool:
    """Whether a file has a function with a body: promises (``...``), settings and plain data have none."""
    functions = (n for n in ast.walk(ast.parse(read(path))) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    bodies = (body[ast.get_docstring(function) is not None :] for function in functions if (body := function.body))
    return any(ast.unparse(statement) not in ("...", "") for body in bodies for statement in body)


def test_tests_mirror_the_tree() -> None:
    missing = []
    for path in SOURCES:
        base = PLUGINS if path.is_relative_to(PLUGINS) else CORE
        inside = path.relative_to(base)
        if base == PLUGINS:
            inside = Path("plugins", inside.parts[0].removeprefix("harness_"), *inside.parts[1:])
        test = ROOT / "tests" / inside.with_name(f"test_{path.name}")
        if not LISTS.fullmatch(path.name) and does_something(path) and not test.is_file():
            missing.append(place(test))
    assert missing == []
