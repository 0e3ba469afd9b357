"""``harness describe``: a recipe resolved and its networks counted, a data set, or a metric. Needs no data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.catalog import Catalog, open_catalog
from harness.cli.ls import ARROWS
from harness.cli.options import AsJson, Without
from harness.cli.printing import listed, plain, print_json, print_table, shown
from harness.contracts.specs import DatasetSpec, MethodSpec, MetricSpec
from harness.errors import SettingsError, UnknownName

if TYPE_CHECKING:
    from harness.data import Problem
    from harness.experiment import Experiment
    from harness.training.cost import NetworkCost


def describe(
    name: Annotated[str, typer.Argument(help="A recipe, a method, a plugin with one method, a data set, or a metric.")],
    dataset: Annotated[str | None, typer.Option("--dataset", help="Data set that a recipe is resolved for.")] = None,
    scale: Annotated[str, typer.Option("--scale", help="paper, or another scale of the recipe.")] = "paper",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting. May be repeated.")
    ] = None,
    as_json: AsJson = False,
    without: Without = None,
) -> None:
    """Show what a recipe sets and costs, a data set, or a metric."""
    catalog = open_catalog(without or ())
    base = name.partition(":")[0]
    other = "data set" if base in catalog.names("dataset") else "metric" if _is_metric(catalog, name) else None
    if other is not None and (dataset is not None or set_ or scale != "paper"):
        raise SettingsError(f"'{name}' is a {other}: --dataset, --scale and --set do not apply to it")
    facts: dict[str, Any]
    show: Callable[[Mapping[str, Any]], None]
    if other == "data set":
        facts, show = dataset_facts(catalog, base), _print_dataset
    elif other == "metric":
        facts, show = metric_facts(catalog, name), _print_metric
    else:
        facts, show = recipe_facts(catalog, name, dataset, scale, set_ or []), _print_recipe
    if as_json:
        print_json(facts)
    else:
        show(facts)


# -- data sets -----------------------------------------------------------------------------------------


def dataset_facts(catalog: Catalog, name: str) -> dict[str, Any]:
    """What a data set's spec says of it."""
    spec = next(spec for spec in catalog.all("dataset") if spec.name == name)
    assert isinstance(spec, DatasetSpec)
    return {
        "dataset": f"{spec.name}:{spec.argument}" if spec.argument else spec.name,
        "plugin": catalog.owner("dataset", name).name,
        "summary": spec.summary,
        "kind": spec.kind,
        "shape": plain(spec.shape),
        "range": [-1.0, 1.0] if spec.kind == "images" else None,
        "classes": plain(spec.classes),
        "splits": plain(spec.splits),
        "licence": spec.licence,
        "source": spec.source,
        "defaults": plain(spec.defaults),
        "extractors": plain(spec.extractors),
        "known_modes": spec.modes is not None,
        "files": plain(spec.files),
    }


def _print_dataset(facts: Mapping[str, Any]) -> None:
    unknown = "depends on the files"
    shape, classes = facts["shape"], facts["classes"]
    lines = {
        "data set": facts["dataset"],
        "plugin": facts["plugin"],
        "summary": facts["summary"],
        "kind": facts["kind"],
        "shape": "x".join(map(str, shape)) if shape else unknown,
        "range": "-1 to 1 (stored as 0 to 255)" if facts["range"] else "unbounded",
        "classes": f"{len(classes)}: {listed(classes, 20)}" if classes is not None else unknown,
        "splits": listed([_split(name, size, shape) for name, size in facts["splits"].items()]),
        "licence": facts["licence"],
        "source": facts["source"],
        "defaults": listed([f"{key}={shown(value)}" for key, value in facts["defaults"].items()]),
        "extractors": listed(facts["extractors"]),
    }
    _print_pairs(lines)
    rows = [row for file in facts["files"] for row in _files(file)]
    if rows:
        print()
        print_table(("file", "bytes", "checksum"), rows)


def _split(name: str, size: int | None, shape: Any) -> str:
    return f"{name} {size if size is not None else 'endless' if shape else 'as found'}"


def _files(file: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, str, str]]:
    """A file's row, and those of what it holds."""
    sums = [f"{kind} {file[kind]}" for kind in ("sha256", "md5") if file[kind]]
    yield (inside + file["name"], str(file["size"] or "-"), sums[0] if sums else "none published")
    for part in file["contents"]:
        yield from _files(part, f"{inside}{file['name']}: ")


# -- metrics -------------------------------------------------------------------------------------------


def _is_metric(catalog: Catalog, name: str) -> bool:
    """Whether only a metric, or a value of one, is called so."""
    methods = {*catalog.names("method"), *(plugin.name for plugin in catalog.plugins.plugins)}
    if name in methods or name in {recipe.id for recipe in catalog.recipes()}:
        return False
    return any(name in (spec.name, *spec.names) for spec in catalog.all("metric") if isinstance(spec, MetricSpec))


def metric_facts(catalog: Catalog, name: str) -> dict[str, Any]:
    """What a metric's spec says of it, and what it can be told."""
    from harness.metric_settings import described

    spec = catalog.metric(name)
    return {
        "metric": spec.name,
        "plugin": catalog.owner("metric", spec.name).name,
        "summary": spec.summary,
        "source": spec.source,
        "values": plain(spec.names),
        "kinds": plain(spec.kinds),
        "needs": spec.requires,
        "by_default": spec.by_default,
        "settings": {s.key: {"default": s.default, "about": s.about} for s in described(catalog, spec)},
    }


def _print_metric(facts: Mapping[str, Any]) -> None:
    lines = {key: facts[key] or "-" for key in ("metric", "plugin", "summary", "source")}
    lines["values (better)"] = listed([f"{name} ({ARROWS[up]})" for name, up in facts["values"].items()])
    lines |= {"data": listed(facts["kinds"]), "needs": facts["needs"]}
    lines["measured"] = "by default" if facts["by_default"] else "when it is named"
    _print_pairs(lines)
    if facts["settings"]:
        print()
        rows = [(key, shown(each["default"]), each["about"]) for key, each in facts["settings"].items()]
        print_table(("setting", "default", "what it is"), rows)


# -- recipes -------------------------------------------------------------------------------------------


def recipe_facts(catalog: Catalog, name: str, dataset: str | None, scale: str, pairs: list[str]) -> dict[str, Any]:
    """A recipe resolved for a data set, built on the meta device and counted."""
    from harness.overrides import flattened

    experiment = _experiment(catalog, name, dataset, scale, pairs)
    problem = described_problem(catalog, experiment)
    settings = flattened(experiment.settings.model_dump(mode="json"))
    changes = [key for key in settings if key in experiment.overrides]
    return {
        "recipe": experiment.recipe_id,
        "method": experiment.method,
        "plugin": experiment.plugin,
        "summary": catalog.recipe(experiment.recipe).summary,
        "source": catalog.recipe(experiment.recipe).source,
        "scale": experiment.scale,
        "dataset": experiment.dataset,
        "shape": list(problem.shape),
        "classes": problem.n_classes,
        "settings": settings,
        "set": changes,
        "networks": plain(_costs(catalog, experiment, problem)),
    }


def _experiment(catalog: Catalog, name: str, dataset: str | None, scale: str, pairs: list[str]) -> Experiment:
    from harness.experiment import resolve
    from harness.overrides import parse_overrides

    recipe = name if name in {known.id for known in catalog.recipes()} else None
    method = catalog.method(catalog.recipe(name).method) if recipe else _method(catalog, name)
    overrides = parse_overrides(pairs)
    if dataset is None:
        dataset = default_dataset(catalog, method, recipe)
    return resolve(catalog, plugin=method.name, dataset=dataset, recipe=recipe, scale=scale, overrides=overrides)


def _method(catalog: Catalog, name: str) -> MethodSpec:
    try:
        return catalog.method_of(name)
    except UnknownName:
        recipes = [recipe.id for recipe in catalog.recipes()]
        names = [*recipes, *catalog.names("method"), *catalog.names("dataset")]
        names += [
            known
            for spec in catalog.all("metric")
            if isinstance(spec, MetricSpec)
            for known in (spec.name, *spec.names)
        ]
        raise UnknownName("recipe, method, data set or metric", name, names) from None


def default_dataset(catalog: Catalog, method: MethodSpec, recipe: str | None) -> str:
    """The first data set that the paper used the recipe on, else the first one offered of the right kind."""
    named = (catalog.recipe(recipe) if recipe else method.recipes[0]).datasets
    specs = [spec for _, spec in catalog.plugins.specs() if isinstance(spec, DatasetSpec)]
    described = {spec.name for spec in specs if spec.shape is not None}
    fitting = [spec.name for spec in specs if spec.kind in method.kinds and spec.name in described]
    candidates = [*(name for name in named if name in described), *fitting]
    if not candidates:
        raise SettingsError(f"no data set that is offered suits method '{method.name}'", "name one with --dataset")
    return candidates[0]


def described_problem(catalog: Catalog, experiment: Experiment) -> Problem:
    """The problem that a data set poses, from its spec alone."""
    from harness.data import Problem, fitted_shape, parts_of

    spec = catalog.dataset(experiment.dataset)
    if spec.shape is None or spec.classes is None:
        raise SettingsError(
            f"the shape of data set '{experiment.dataset}' depends on its files", "describe for another --dataset"
        )
    shape = spec.shape
    if spec.kind == "images":
        model = catalog.model(experiment.settings.backbone.name)
        stored = (shape[0], shape[1], shape[2])
        shape = fitted_shape(stored, experiment.settings.fit, model.resolutions, model.name).after
    sizes = [spec.splits[part] for part in parts_of(experiment.settings.train_split)]
    n_train = None if None in sizes else sum(size or 0 for size in sizes)
    return Problem(experiment.dataset, spec.kind, shape, spec.classes, n_train)


def _costs(catalog: Catalog, experiment: Experiment, problem: Problem) -> dict[str, NetworkCost]:
    import torch

    from harness.training.build import build_method
    from harness.training.cost import network_costs
    from harness.training.runtime import Runtime

    method, _ = build_method(experiment, problem, Runtime(torch.device("meta")), catalog)
    return network_costs(method.state(), problem.shape)


def _print_recipe(facts: Mapping[str, Any]) -> None:
    data = f"{facts['dataset']} ({'x'.join(map(str, facts['shape']))}, {facts['classes']} classes)"
    keys = ("recipe", "method", "plugin", "summary", "source", "scale")
    _print_pairs({key: facts[key] or "-" for key in keys} | {"data set": data})
    print()
    marks = {key: "  (set)" for key in facts["set"]}
    rows = [(key, shown(value) + marks.get(key, "")) for key, value in facts["settings"].items()]
    print_table(("setting", "value"), rows)
    print()
    headers = ("network", "parameters", "of them adapters", "multiply-accumulates an image")
    print_table(headers, [_network(name, cost) for name, cost in facts["networks"].items()])


def _network(name: str, cost: Mapping[str, Any]) -> tuple[str, ...]:
    macs = f"not counted ({cost['not_counted']})" if cost["macs"] is None else f"{cost['macs']:,}"
    return (name, f"{cost['parameters']:,}", f"{cost['adapters']:,}", macs)


def _print_pairs(lines: Mapping[str, str]) -> None:
    size = max(map(len, lines))
    for key, value in lines.items():
        print(f"{key.ljust(size)}  {value}")
