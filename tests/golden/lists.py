"""What a change of the tree's inside must not move: golden lists, written down before and compared after.

    python tests/golden/lists.py            # what differs from the lists that are committed
    python tests/golden/lists.py --write    # writes them anew: only where a change is meant, and says so

A list that grows is fine (something new is offered); what stands in it may not change or go.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from harness.catalog import Catalog, open_catalog
from harness.cli import COMMANDS
from harness.cli.describe import default_dataset, described_problem
from harness.contracts import hookspecs
from harness.contracts.settings import EvaluationSettings
from harness.contracts.specs import DatasetSpec, MetricSpec
from harness.data import Law, load_dataset
from harness.doctor.cases import BASELINE, Cases
from harness.errors import EvaluationError
from harness.evaluation import check_evaluation
from harness.experiment import resolve
from harness.overrides import flattened
from harness.results import evaluation_record, record
from harness.training.build import build_method
from harness.training.runtime import Runtime

FOLDER = Path(__file__).parent

#: modules whose names other people import
PUBLIC = ("harness", "harness.data", "harness.evaluation")


def digest(value: Any) -> str:
    """SHA-256 of plain data, short."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def public_names(_: Catalog) -> dict[str, Any]:
    """Names by module, hooks with their arguments, commands with their options."""
    names = {module: sorted(import_module(module).__all__) for module in PUBLIC}
    hooks = {name: list(hook.__annotations__) for name, hook in vars(hookspecs).items() if name.startswith("harness_")}
    return {"modules": names, "hooks": hooks, "commands": sorted(COMMANDS)}


def schemas(_: Catalog) -> dict[str, Any]:
    """Digests of the JSON Schemas of records."""
    return {"results": digest(record.json_schema()), "evaluation": digest(evaluation_record.json_schema())}


def recipes(catalog: Catalog) -> dict[str, Any]:
    """Digest of every recipe as it resolves, of the settings that there were when the list was written.

    A setting that is added moves no digest, and one that changes or goes does.
    """
    found: dict[str, Any] = {}
    path = FOLDER / "recipes.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for recipe, scale, dataset in _resolvable(catalog):
        experiment = resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, scale=scale)
        values = flattened(experiment.settings.model_dump(mode="json"))
        keys = known.get("settings", {}).get(experiment.method) or sorted(values)
        found.setdefault("settings", {})[experiment.method] = keys
        found[f"{recipe} {scale} {dataset}"] = digest({key: values.get(key) for key in keys})
    return found


def states(catalog: Catalog) -> dict[str, Any]:
    """Names and shapes of what a method's networks hold: by recipe a digest; by backbone all of them."""
    found: dict[str, Any] = {}
    for recipe, scale, dataset in _resolvable(catalog):
        if scale != "tiny":
            continue
        experiment = resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, scale=scale)
        problem = described_problem(catalog, experiment)
        method, _ = build_method(experiment, problem, Runtime(torch.device("meta")), catalog)
        shapes = {name: _shapes(value) for name, value in method.state().items()}
        found[f"{recipe} {dataset}"] = {name: digest(value) for name, value in shapes.items()}
    return {"recipes": found, "backbones": {name: _backbone(catalog, name) for name in catalog.names("model")}}


def protocols(catalog: Catalog) -> dict[str, Any]:
    """Ids, and digests of all fields, of every metric on the small sets that ship with the harness."""
    found: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        cases = Cases(catalog, Path(folder))
        for spec in catalog.all("metric"):
            assert isinstance(spec, MetricSpec)
            ids: list[str] = []
            for kind in spec.kinds:
                offered = cases.of(kind, spec.requires)
                if BASELINE not in offered:
                    continue
                case = offered[BASELINE]()
                settings = EvaluationSettings(metrics=(spec.name,), outliers=case.outliers)
                try:
                    ids += check_evaluation(case.trained, dataset=case.dataset, settings=settings, catalog=catalog)
                except EvaluationError as error:
                    ids.append(f"refused: {type(error).__name__}")
            found[spec.name] = [re.sub(r"npz:[^,\]]*|npz-[0-9a-f]*", "npz", text) for text in dict.fromkeys(ids)]
    return found


def checksums(catalog: Catalog) -> dict[str, Any]:
    """Of the data that are always at hand: values with labels, and labels alone."""
    found = {}
    for name in ("digits", "ring2d", "grid2d"):
        data = load_dataset(catalog, name, Path("/nonexistent"))
        for split in data.spec.splits:
            read, finite = data.split(split), data.finite(split)
            assert finite.labels is not None
            found[f"{name} {split}"] = {
                "split": read.checksum,
                "labels": hashlib.sha256(finite.labels.tobytes()).hexdigest(),
                "law": isinstance(read, Law),
            }
    return found


LISTS: dict[str, Callable[[Catalog], dict[str, Any]]] = {
    "public_names": public_names,
    "schemas": schemas,
    "recipes": recipes,
    "states": states,
    "protocols": protocols,
    "checksums": checksums,
}


def _resolvable(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """Every recipe at every scale, on every data set that it names and whose shape is known without files."""
    shaped = {s.name for s in catalog.all("dataset") if isinstance(s, DatasetSpec) and s.shape is not None}
    for recipe in catalog.recipes():
        default = default_dataset(catalog, catalog.method(recipe.method), recipe.id)
        datasets = [name for name in recipe.datasets if name in shaped]
        for scale in ("paper", *recipe.scales):
            yield from ((recipe.id, scale, dataset) for dataset in dict.fromkeys([*datasets, default]))


def _shapes(value: Any) -> Any:
    """Names and shapes of a module's tensors; a tensor's shape; of anything else the kind."""
    if isinstance(value, torch.Tensor):
        return list(value.shape)
    if isinstance(value, torch.nn.Module):
        return {name: list(tensor.shape) for name, tensor in value.state_dict().items()}
    return type(value).__name__


def _backbone(catalog: Catalog, name: str) -> dict[str, list[str]]:
    spec = catalog.model(name)
    settings = catalog.load_spec("model", name, "settings")()
    shape = (3, 32, 32) if spec.kind == "images" else (2,)
    with torch.device("meta"):
        backbone = catalog.load_spec("model", name, "build")(settings, shape)
        networks = {
            "generator": backbone.generator(),
            "generator told one of 3": backbone.generator(conditions=3),
            "discriminator": backbone.discriminator(),
            "discriminator told one of 3": backbone.discriminator(conditions=3, heads={"extra": 2}),
        }
    return {
        which: [f"{key} {list(value.shape)}" for key, value in network.state_dict().items()]
        for which, network in networks.items()
    }


def lost(before: Any, now: Any, where: str = "") -> list[str]:
    """What stood in a list and changed or went, by path; what is new is no loss."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [line for key in before for line in lost(before[key], now.get(key), f"{where}/{key}")]
    if isinstance(before, list) and isinstance(now, list) and where.startswith("/modules"):
        return [f"{where}: {name} is gone" for name in before if name not in now]
    return [] if before == now else [f"{where}: {before} became {now}"]


def committed(name: str) -> dict[str, Any]:
    """The list as it was written down."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def main(words: list[str]) -> int:
    catalog = open_catalog()
    differing = 0
    for name, make in LISTS.items():
        now = json.loads(json.dumps(make(catalog)))
        if words == ["--write"]:
            (FOLDER / f"{name}.json").write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        for line in lost(committed(name), now):
            differing += 1
            print(f"{name}{line}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
