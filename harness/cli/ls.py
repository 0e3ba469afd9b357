"""``harness ls``: what the plugins offer, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from harness.catalog import Catalog, open_catalog
from harness.cli.options import AsJson, Without
from harness.cli.printing import listed, plain, print_json, print_table
from harness.errors import UnknownName

#: what each value of a metric wants to be
ARROWS: Mapping[bool | None, str] = {True: "higher", False: "lower", None: "neither"}


class Column(NamedTuple):
    """A column of a listing: its header, and what it says of a spec."""

    header: str
    cell: Callable[[Any], str]


NAME = Column("name", lambda spec: spec.name)
SUMMARY = Column("summary", lambda spec: spec.summary)
KINDS = Column("data", lambda spec: listed(spec.kinds))

#: what `ls` lists, in the order of a run, and the columns that tell its items apart; each row ends with the plugin
LISTINGS: Mapping[str, tuple[Column, ...]] = {
    "methods": (NAME, KINDS, Column("recipes", lambda m: str(len(m.recipes))), SUMMARY),
    "recipes": (
        Column("id", lambda r: r.id),
        Column("method", lambda r: r.method),
        Column("scales", lambda r: listed(scales(r))),
        Column("source", lambda r: r.source or "-"),
        Column("data sets", lambda r: listed(r.datasets)),
        SUMMARY,
    ),
    "datasets": (
        Column("name", lambda d: f"{d.name}:{d.argument}" if d.argument else d.name),
        Column("kind", lambda d: d.kind),
        Column("shape", lambda d: "x".join(map(str, d.shape)) if d.shape else "as found"),
        Column("classes", lambda d: str(len(d.classes)) if d.classes is not None else "as found"),
        Column("splits", lambda d: listed(splits(d))),
        Column("licence", lambda d: d.licence),
        SUMMARY,
    ),
    "models": (
        NAME,
        Column("kind", lambda m: m.kind),
        Column("resolutions", lambda m: listed([str(side) for side in m.resolutions])),
        Column("places", lambda m: m.places or "-"),
        SUMMARY,
    ),
    "losses": (NAME, SUMMARY),
    "penalties": (NAME, SUMMARY),
    "augmentations": (NAME, SUMMARY),
    "regularisers": (NAME, SUMMARY),
    "extractors": (
        NAME,
        Column("accepts", lambda e: e.accepts),
        Column("weights", lambda e: _weights(e)),
        SUMMARY,
    ),
    "metrics": (
        NAME,
        Column("values (better)", lambda m: listed([f"{name} ({ARROWS[up]})" for name, up in m.names.items()])),
        KINDS,
        Column("needs", lambda m: m.requires),
        # by name alone: what the keys are is in code, which listing does not import
        Column("settings", lambda m: f"evaluation.of.{m.name}.*" if m.settings else "-"),
        SUMMARY,
    ),
    "references": (NAME, Column("folder", lambda r: r.folder), SUMMARY),
}

SINGULAR = {kind: kind.removesuffix("s") for kind in LISTINGS} | {"losses": "loss", "penalties": "penalty"}
ALIASES = {"backbones": "models", "backbone": "models"} | {one: many for many, one in SINGULAR.items()}


def ls(
    kind: Annotated[str | None, typer.Argument(help=f"One of: {', '.join(LISTINGS)}.")] = None,
    as_json: AsJson = False,
    without: Without = None,
) -> None:
    """List what the plugins offer, kind by kind."""
    catalog = open_catalog(without or ())
    if kind is None:
        _kinds(catalog, as_json)
        return
    name = ALIASES.get(kind, kind)
    if name not in LISTINGS:
        raise UnknownName("kind of thing to list", kind, [*LISTINGS, "backbones"])
    specs = items(catalog, name)
    owners = [_owner(catalog, name, spec) for spec in specs]
    if as_json:
        print_json([plain(spec) | {"plugin": owner} for spec, owner in zip(specs, owners, strict=True)])
        return
    *front, last = LISTINGS[name]
    headers = [*(column.header for column in front), "plugin", last.header]
    print_table(
        headers,
        [
            [*(column.cell(spec) for column in front), owner, last.cell(spec)]
            for spec, owner in zip(specs, owners, strict=True)
        ],
    )


def items(catalog: Catalog, listing: str) -> Sequence[Any]:
    """Everything of one listing, by name."""
    return catalog.recipes() if listing == "recipes" else catalog.all(SINGULAR[listing])


def scales(recipe: Any) -> list[str]:
    """The scales that a recipe can be run at."""
    return ["paper", *(name for name in recipe.scales if name != "paper")]


def splits(dataset: Any) -> list[str]:
    """ "train 60000", or "train endless"; a size that depends on the files is left out."""
    endless = "endless" if dataset.shape is not None else ""
    return [f"{name} {endless if size is None else size}".strip() for name, size in dataset.splits.items()]


def _kinds(catalog: Catalog, as_json: bool) -> None:
    counts = {listing: len(items(catalog, listing)) for listing in LISTINGS}
    if as_json:
        print_json(counts)
    else:
        print_table(("kind", "number"), [(listing, str(number)) for listing, number in counts.items()])


def _owner(catalog: Catalog, listing: str, spec: Any) -> str:
    kind, name = ("method", spec.method) if listing == "recipes" else (SINGULAR[listing], spec.name)
    return catalog.owner(kind, name).name


def _weights(extractor: Any) -> str:
    if extractor.packaged:
        return "packaged"
    if extractor.weights is None:
        return "none"
    return listed([file.name for file in extractor.weights.contents or (extractor.weights,)])
