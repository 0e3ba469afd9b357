"""References: numbers that papers print, each with what it was measured of and how.

A paper's folder holds one CSV a table, a line for every printed number, in the columns of :data:`COLUMNS`, and
``protocols.toml``: each way in which the paper measured, once, under a key that the lines name. A plugin offers its
paper's folder through the hook ``harness_register_references``.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from harness.catalog import Catalog
from harness.contracts.spec_rules import NAME
from harness.contracts.specs import ReferenceSpec
from harness.errors import UnknownName, UserError
from harness.plugins import one_line
from harness.results.printed_protocols import PrintedProtocol, read_protocols

COLUMNS = (
    "paper",
    "table",
    "row",
    "dataset",
    "fraction",
    "setting",
    "metric",
    "value",
    "std",
    "quoted_from",
    "recipe",
    "subject",
    "protocol",
    "note",
)

#: what tells one printed number from another
KEY = ("table", "row", "dataset", "fraction", "setting", "metric", "subject")

_WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Reference:
    """One printed number.

    :param id: ``paper/file/line``, such as ``ni2022/table-08/17``: the 17th number of that table.
    :param row: the row's label as printed.
    :param fraction: share of the training data, above 0 and at most 1.
    :param setting: what tells the row apart beside its label, as printed.
    :param metric: the number's name, as this collection calls it.
    :param value: the printed number, in the printed unit.
    :param printed: its digits as printed, which say how far it was rounded.
    :param std: what is printed after ±, None for nothing; the protocol says of what it is.
    :param printed_std: its digits; "" for nothing.
    :param quoted_from: whose number it is where the paper only repeats it; "" for its own.
    :param recipe: the recipe that does the same here; None where there is none.
    :param subject: what of the method was measured, so far as the paper says.
    """

    id: str
    paper: str
    table: str
    row: str
    dataset: str
    fraction: float
    setting: Mapping[str, str]
    metric: str
    value: float
    printed: str
    std: float | None
    printed_std: str
    quoted_from: str
    recipe: str | None
    subject: Mapping[str, str]
    protocol: PrintedProtocol
    note: str

    @property
    def shown(self) -> str:
        """The number as printed, with its ± where there is one."""
        return f"{self.printed} ± {self.printed_std}" if self.printed_std else self.printed

    @property
    def rounding(self) -> float:
        """Half a unit of the last printed digit: how far the unrounded number may lie away."""
        mantissa, _, exponent = self.printed.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        return float(0.5 * 10.0 ** (int(exponent or 0) - decimals))

    def line(self) -> dict[str, str]:
        """The number as a line of its table, as text."""
        texts = (
            self.paper,
            self.table,
            self.row,
            self.dataset,
            f"{self.fraction:g}",
            joined(self.setting),
            self.metric,
            self.printed,
            self.printed_std,
            self.quoted_from,
            self.recipe or "",
            joined(self.subject),
            self.protocol.key,
            self.note,
        )
        return dict(zip(COLUMNS, texts, strict=True))


def joined(pairs: Mapping[str, str]) -> str:
    """``key=value;key=value``."""
    return ";".join(f"{key}={value}" for key, value in pairs.items())


def open_references(catalog: Catalog, papers: Sequence[str] = ()) -> tuple[list[Reference], list[str]]:
    """The numbers of all papers, or of those named, and what is wrong with folders that could not be read.

    One paper's broken folder does not take the others down, unless it was asked for.

    :raises UnknownName: where `papers` names one that nobody offers.
    :raises UserError: where a named paper's folder is broken.
    """
    known = catalog.names("reference")
    for paper in papers:
        if paper not in known:
            raise UnknownName("paper", paper, known)
    found: list[Reference] = []
    problems = []
    for spec in catalog.all("reference"):
        assert isinstance(spec, ReferenceSpec)
        if papers and spec.name not in papers:
            continue
        try:
            found += read_paper(spec)
        except UserError as error:
            if papers:
                raise
            plugin = catalog.owner("reference", spec.name).name
            problems.append(f"references of '{spec.name}' from plugin '{plugin}' are left out: {error}")
    return found, problems


def read_paper(spec: ReferenceSpec) -> list[Reference]:
    """Every number of a paper, table by table.

    :raises UserError: naming the file and line of the first that breaks a rule.
    """
    package, _, inside = spec.folder.partition(":")
    try:
        folder = files(package).joinpath(inside)
        protocols = read_protocols(folder.joinpath("protocols.toml"))
        tables = sorted((path for path in folder.iterdir() if path.name.endswith(".csv")), key=lambda path: path.name)
        found = [reference for table in tables for reference in _read_table(table, spec.name, protocols)]
    except (ImportError, OSError) as error:
        raise UserError(f"cannot read {spec.folder}: {one_line(error)}") from error
    _refuse_twins(found)
    return found


def _read_table(path: Traversable, paper: str, protocols: Mapping[str, PrintedProtocol]) -> Iterator[Reference]:
    name = f"{paper}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if tuple(header) != COLUMNS:
            raise UserError(f"{name}: its columns are {','.join(header)}", f"they must be {','.join(COLUMNS)}")
        for number, cells in enumerate(reader, 1):
            where = f"{name}: line {reader.line_num}"
            if len(cells) != len(COLUMNS):
                raise UserError(f"{where}: {len(cells)} cells, not {len(COLUMNS)}")
            identifier = f"{paper}/{path.name.removesuffix('.csv')}/{number}"
            yield _reference(dict(zip(COLUMNS, cells, strict=True)), identifier, paper, protocols, where)
    except csv.Error as error:
        raise UserError(f"{name}: line {reader.line_num}: {error}") from error


def _reference(
    cells: Mapping[str, str], identifier: str, paper: str, protocols: Mapping[str, PrintedProtocol], where: str
) -> Reference:
    spaced = next((column for column, cell in cells.items() if cell != " ".join(cell.split())), None)
    if spaced is not None:
        shown = cells[spaced].replace(" ", "·")  # the error's own line would swallow a second space
        raise UserError(f"{where}: {spaced} has stray white space: '{shown}'")
    if cells["paper"] != paper:
        raise UserError(f"{where}: paper is '{cells['paper']}', but the folder is that of '{paper}'")
    for column in ("table", "row", "dataset", "metric"):
        if not cells[column]:
            raise UserError(f"{where}: {column} is empty")
    if not NAME.fullmatch(cells["dataset"]):
        raise UserError(f"{where}: '{cells['dataset']}' is no data set's name")
    if not _WORD.fullmatch(cells["metric"]):
        raise UserError(f"{where}: '{cells['metric']}' is no metric's name")
    if cells["protocol"] not in protocols:
        raise UserError(f"{where}: {UnknownName('protocol', cells['protocol'], protocols)}")
    protocol = protocols[cells["protocol"]]
    setting = _pairs(cells["setting"], "setting", where)
    lacking = [key for key in protocol.per_row if key not in setting]
    if lacking:
        raise UserError(f"{where}: protocol '{protocol.key}' takes {lacking[0]} from setting, which does not say it")
    fraction = _number(cells["fraction"], "fraction", where)
    if not 0 < fraction <= 1:
        raise UserError(f"{where}: fraction is {cells['fraction']}, not above 0 and at most 1")
    std = _number(cells["std"], "std", where) if cells["std"] else None
    if std is not None and std < 0:
        raise UserError(f"{where}: std is {cells['std']}, below 0")
    recipe = cells["recipe"] or None
    if recipe is not None and not re.fullmatch(rf"{NAME.pattern}/{NAME.pattern}", recipe):
        raise UserError(f"{where}: recipe '{recipe}' is not METHOD/VARIANT")
    return Reference(
        id=identifier,
        paper=paper,
        table=cells["table"],
        row=cells["row"],
        dataset=cells["dataset"],
        fraction=fraction,
        setting=setting,
        metric=cells["metric"],
        value=_number(cells["value"], "value", where),
        printed=cells["value"],
        std=std,
        printed_std=cells["std"],
        quoted_from=cells["quoted_from"],
        recipe=recipe,
        subject=_pairs(cells["subject"], "subject", where),
        protocol=protocol,
        note=cells["note"],
    )


def _number(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{where}: {column} is '{text}', not a number")
    return value


def _pairs(text: str, column: str, where: str) -> dict[str, str]:
    """``key=value;key=value``, in the order of the print."""
    pairs: dict[str, str] = {}
    for part in text.split(";") if text else ():
        key, equals, value = part.partition("=")
        if not equals or not _WORD.fullmatch(key) or not value or value != value.strip():
            raise UserError(f"{where}: {column} is '{text}'", "write key=value;key=value")
        if key in pairs:
            raise UserError(f"{where}: {column} says {key} twice")
        pairs[key] = value
    return pairs


def _refuse_twins(found: Sequence[Reference]) -> None:
    seen: dict[tuple[Any, ...], str] = {}
    for reference in found:
        line = reference.line()
        key = tuple(line[column] for column in KEY)
        if key in seen:
            raise UserError(f"{reference.id} and {seen[key]} are the same number: {', '.join(filter(None, key))}")
        seen[key] = reference.id
