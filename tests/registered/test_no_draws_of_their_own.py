"""No plugin draws from torch directly: numbers of a step come through the context, for the rows of a whole batch.

What is drawn otherwise is the same on every device, or another number on one device than on two.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = [
    "plugins",
    "docs/example_plugin",
    *(f"harness/builtin/{room}" for room in ("augmentations", "losses", "models", "regularisers")),
]
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

#: functions of torch that draw
FUNCTIONS = {
    "bernoulli",
    "multinomial",
    "normal",
    "poisson",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
}

#: methods of tensors that draw, and functions of ``torch.nn.init``
METHODS = {
    "bernoulli_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "multinomial",
    "normal_",
    "random_",
    "uniform_",
}


class Allowed(NamedTuple):
    """A draw that no step makes.

    :param where: path below the root.
    :param inside: function or method, or class and method, that draws.
    """

    where: str
    inside: str
    reason: str


ALLOWED = (
    Allowed("harness/builtin/models/residual/blocks.py", "initialise", "initial weights"),
    Allowed("plugins/harness_lcsa/dictionary.py", "initial_atoms", "initial weights"),
    Allowed("plugins/harness_pgmgan/operator_norm.py", "NormCap.__init__", "where a power iteration begins, a buffer"),
    Allowed("plugins/harness_pgmgan/figure3.py", "random_walks", "a script, on one device and without steps"),
)


class Draw(NamedTuple):
    """A place that draws.

    :ivar inside: names of the classes and functions around it, joined by dots.
    """

    inside: str
    line: int
    name: str


def draws(code: str) -> list[Draw]:
    """Every use of a name that draws from torch, called or handed on."""
    tree = ast.parse(code)
    modules, names = {"torch"}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname for alias in node.names if alias.name == "torch" and alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module == "torch":
            names |= {alias.asname or alias.name for alias in node.names if alias.name in FUNCTIONS}
        elif isinstance(node, ast.ImportFrom) and node.module == "torch.nn.init":
            names |= {alias.asname or alias.name for alias in node.names if alias.name in METHODS}

    def found(node: ast.AST, inside: tuple[str, ...]) -> Iterator[Draw]:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inside = (*inside, node.name)
        if isinstance(node, ast.Attribute):
            of_torch = isinstance(node.value, ast.Name) and node.value.id in modules
            if node.attr in METHODS or (of_torch and node.attr in FUNCTIONS):
                yield Draw(".".join(inside), node.lineno, node.attr)
        elif isinstance(node, ast.Name) and node.id in names:
            yield Draw(".".join(inside), node.lineno, node.id)
        for child in ast.iter_child_nodes(node):
            yield from found(child, inside)

    return list(found(tree, ()))


def offenders(allowed: tuple[Allowed, ...] = ALLOWED) -> list[str]:
    """Draws that are not allowed, as "path:line: in function: name"."""
    places = {(use.where, use.inside) for use in allowed}
    return [
        f"{where}:{draw.line}: in {draw.inside or 'module'}: {draw.name}"
        for path in FILES
        for draw in draws(path.read_text(encoding="utf-8"))
        if ((where := path.relative_to(ROOT).as_posix()), draw.inside) not in places
    ]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("x = torch.rand(3)", ["rand"]),
        ("x = torch.randn_like(torch.randperm(n))", ["randn_like", "randperm"]),
        ("x = torch.bernoulli(p) + p.bernoulli_()", ["bernoulli", "bernoulli_"]),
        ("torch.empty(2, 3).uniform_(-1, 1)", ["uniform_"]),
        ("nn.init.normal_(weight, 0.0, 0.02)", ["normal_"]),
        ("weights.multinomial(2)", ["multinomial"]),
        ("import torch as th\nth.randint(3, (2,))", ["randint"]),
        ("from torch import randn as gauss\ngauss(3)", ["gauss"]),
        ("from torch.nn.init import normal_\nnormal_(weight)", ["normal_"]),
        ("draw = partial(torch.normal, 0.0)", ["normal"]),
        ("x = draws.normal(n, 3) + self.ctx.uniform(n) + self.ctx.integers(2, n)", []),
        ("rand = order.normal\nrand(3)", []),
        ("# torch.rand(3)\n'torch.rand(3)'", []),
    ],
)
def test_the_search_finds_draws_and_nothing_else(line: str, names: list[str]) -> None:
    assert sorted(draw.name for draw in draws(line)) == sorted(names)


def test_the_search_says_where() -> None:
    code = "import torch\nclass A:\n    def b(self):\n        return lambda: torch.rand(1)\n"
    assert draws(code) == [Draw("A.b", 4, "rand")]


def test_every_room_is_searched() -> None:
    assert [room for room in ROOMS if not any(path.is_relative_to(ROOT / room) for path in FILES)] == []


def test_nobody_draws_from_torch_in_a_step() -> None:
    assert offenders() == []


def test_every_exception_is_still_needed() -> None:
    found = offenders()
    needed = [use for use in ALLOWED if offenders(tuple(other for other in ALLOWED if other != use)) != found]
    assert needed == list(ALLOWED)
