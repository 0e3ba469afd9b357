"""One experiment: a recipe, its coordinates, a scale and overrides, resolved and frozen. Contradictions stop here."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from pydantic import BaseModel

from harness.catalog import Catalog
from harness.contracts.settings import AdversarialSettings, Choice, MethodSettings, Settings
from harness.contracts.specs import DatasetSpec, MethodSpec, Recipe
from harness.data.fit import fitted_shape
from harness.data.folds import Fold, check_foldable, check_folded, check_trained_on
from harness.data.joining import check_split
from harness.data.loading import check_fraction, check_kind
from harness.errors import CheckpointError, SettingsError, UnknownName, UserError
from harness.metric_settings import checked
from harness.overrides import choices_of, flattened, merged, validated

S = TypeVar("S", bound=Settings)

EXPERIMENT_FORMAT = "gan-harness experiment"
EXPERIMENT_VERSION = 1

#: settings that watch a run without touching it: overriding them does not make it another recipe
WATCHING = ("checkpoint_every", "log_every", "sample_every", "evaluation")

#: letters of a name that is part of a path
_LONGEST = 120

#: what follows the id of a recipe that was overridden
CHANGED = "+changed"


@dataclass(frozen=True)
class Experiment:
    """What is run.

    :param recipe: the recipe's id.
    :param changed: whether overrides made it differ from the recipe; recorded as ``ID+changed``.
    :param dataset: as typed, with its argument.
    :param fold: which part of train and test together is held out; None for the splits as they are stored.
    :param overrides: what the user set, dotted, for the record and the run's name.
    """

    method: str
    plugin: str
    recipe: str
    changed: bool
    dataset: str
    fraction: float
    fold: Fold | None
    seed: int
    scale: str
    settings: MethodSettings
    overrides: Mapping[str, Any]

    @property
    def recipe_id(self) -> str:
        """The recipe as it is recorded."""
        return f"{self.recipe}{CHANGED}" if self.changed else self.recipe

    @property
    def name(self) -> str:
        """Where it goes below the folder of all runs: method/dataset/variant.scale.seed."""
        return run_name(self.record())

    def record(self) -> dict[str, Any]:
        """All of it as plain data, from which :func:`from_record` makes it again."""
        return {
            "format": EXPERIMENT_FORMAT,
            "version": EXPERIMENT_VERSION,
            "method": self.method,
            "plugin": self.plugin,
            "recipe": self.recipe,
            "changed": self.changed,
            "dataset": self.dataset,
            "fraction": self.fraction,
            "fold": None if self.fold is None else str(self.fold),
            "seed": self.seed,
            "scale": self.scale,
            "settings": self.settings.model_dump(mode="json"),
            "overrides": dict(self.overrides),
        }

    def digest(self) -> str:
        """See :func:`record_digest`."""
        return record_digest(self.record())


_IN_DIGEST = tuple(
    ["format", "version"] + [field.name for field in fields(Experiment) if field.name not in ("overrides", "changed")]
)


def record_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of what the training depends on; a checkpoint carries it.

    Of the record as it was written, so that a setting which a later version adds does not part a run from its
    checkpoints.

    :param record: what :meth:`Experiment.record` wrote, and perhaps more.
    """
    kept = {key: record[key] for key in _IN_DIGEST}
    kept["settings"] = training_settings(kept["settings"])
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def run_name(run: Mapping[str, Any]) -> str:
    """What a run is called, from what :meth:`Experiment.record` writes, or from the record of its results."""
    place = {**run, **run.get("coordinates", {})}
    parts = [run["recipe"].removesuffix(CHANGED).rpartition("/")[2], run["scale"]]
    if place["fraction"] != 1.0:
        parts.append(f"f{place['fraction']}")  # in full: a third is not 0.333333
    if place["fold"] is not None:
        parts.append(Fold.parse(place["fold"]).file_name)
    if run["overrides"]:
        text = json.dumps(run["overrides"], sort_keys=True, default=str)
        parts.append("x" + hashlib.sha256(text.encode()).hexdigest()[:8])
    return "/".join(map(file_name, (run["method"], run["dataset"], f"{'-'.join(parts)}-s{run['seed']}")))


def file_name(text: str, taken: Iterable[str] = ()) -> str:
    """Any text as one part of a path; what cannot be spelled there, or is `taken`, ends in a digest of its own."""
    spelled = "".join(c if (c.isascii() and c.isalnum()) or c in "-_.+=" else "_" for c in text)[:_LONGEST]
    if spelled == text and text.lower() not in taken and text.strip("."):
        return text
    return f"{spelled.strip('.')}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def resolve(
    catalog: Catalog,
    *,
    plugin: str | None,
    dataset: str,
    recipe: str | None = None,
    scale: str = "paper",
    config: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
    fraction: float = 1.0,
    fold: Fold | None = None,
) -> Experiment:
    """Settle every setting, in this order: data set's needs < recipe < its `on` < scale < TOML file < `--set`.

    :param plugin: a plugin's or a method's name; may be None where `recipe` is a full id.
    :param config: settings from a TOML file.
    :param overrides: settings from `--set`.
    :raises UserError: for whatever is unknown, ill-typed or contradictory.
    """
    data = catalog.dataset(dataset)
    dataset = data.name + "".join(dataset.partition(":")[1:])
    method, chosen = _method_and_recipe(catalog, plugin, recipe, data.name)
    if data.kind not in method.kinds:
        raise SettingsError(
            f"method '{method.name}' trains on {' or '.join(method.kinds)}, but data set '{dataset}' holds {data.kind}"
        )
    if seed < 0:
        raise SettingsError(f"seed must be 0 or more, not {seed}")
    check_fraction(fraction)
    owner = f"method '{method.name}'"
    settings_class: type[MethodSettings] = catalog.load_spec("method", method.name, "settings")
    layers = Layers(settings_class)
    recipe_values = layers.merged(*_recipe_values(data, chosen, scale))
    given = layers.merged(config or {}, overrides or {})
    _refuse_fixed(chosen, given)
    as_recipe = _complete(catalog, layers.settings(recipe_values, f"recipe '{chosen.id}'"))
    settings = _complete(catalog, layers.settings(layers.merged(recipe_values, given), owner))
    settings = settings.model_copy(update={"evaluation": checked(catalog, settings.evaluation)})
    _check_fit(catalog, settings, data)
    for split in (settings.train_split, *settings.evaluation.splits):
        check_split(data, split)
    if fold is not None:
        _check_fold(data, dataset, fold, settings)
    return Experiment(
        method=method.name,
        plugin=catalog.owner("method", method.name).name,
        recipe=chosen.id,
        changed=_training_part(settings) != _training_part(as_recipe),
        dataset=dataset,
        fraction=fraction,
        fold=fold,
        seed=seed,
        scale=scale,
        settings=settings,
        overrides=flattened(given),
    )


def _check_fold(data: DatasetSpec, dataset: str, fold: Fold, settings: MethodSettings) -> None:
    check_foldable(data, dataset, fold)
    check_trained_on(settings.train_split, fold)
    for split in settings.evaluation.splits:
        check_folded(split, fold)


def from_record(catalog: Catalog, record: Mapping[str, Any], where: str) -> Experiment:
    """The experiment that :meth:`Experiment.record` wrote.

    :param where: the file it was read from, for errors.
    :raises CheckpointError: where it is not one, or is from a later version.
    """
    if record.get("format") != EXPERIMENT_FORMAT:
        raise CheckpointError(f"{where} does not describe an experiment of this harness")
    names = {field.name for field in fields(Experiment)}
    lacking = sorted({*names, "version"} - set(record))
    if lacking:
        raise CheckpointError(f"{where} does not say '{lacking[0]}'")
    version = record["version"]
    if not isinstance(version, int) or version > EXPERIMENT_VERSION:
        raise CheckpointError(
            f"{where} has version {version!r}, this harness knows {EXPERIMENT_VERSION}", "install a newer one"
        )
    fold = _recorded_fold(record["fold"], where)
    try:
        settings = completed(catalog, record["method"], record["settings"])
    except UserError as error:
        raise CheckpointError(f"{where} cannot be used with what is installed: {error}") from error
    plain = {name: record[name] for name in names - {"settings", "fold"}}
    return Experiment(settings=settings, fold=fold, **plain)


def _recorded_fold(written: Any, where: str) -> Fold | None:
    if written is None:
        return None
    try:
        return Fold.parse(str(written))
    except SettingsError as error:
        raise CheckpointError(f"{where} names no fold: {error.problem}") from error


def _method_and_recipe(
    catalog: Catalog, plugin: str | None, recipe: str | None, dataset: str
) -> tuple[MethodSpec, Recipe]:
    if plugin is None:
        if recipe is None:
            raise SettingsError("neither --plugin nor --recipe is given", "see harness ls methods")
        chosen = catalog.recipe(recipe)
        return catalog.method(chosen.method), chosen
    method = catalog.method_of(plugin)
    if recipe is None:
        return method, method.default_recipe(dataset)
    known = {r.id: r for r in method.recipes}
    full = recipe if recipe in known else f"{method.name}/{recipe}"
    if full not in known:
        raise UnknownName(f"recipe of method '{method.name}'", recipe, known)
    return method, known[full]


class Layers:
    """Settings of one class, laid on each other layer by layer; below all of them lie the class's own defaults.

    One key of a nested default can so be set without losing the others.
    """

    def __init__(self, cls: type[MethodSettings]) -> None:
        self._cls = cls
        self._choices = choices_of(cls)

    def merged(self, *layers: Mapping[str, Any]) -> dict[str, Any]:
        """The layers as one, the last on top."""
        return functools.reduce(lambda below, above: merged(below, above, self._choices), layers, {})

    def settings(self, values: Mapping[str, Any], owner: str) -> MethodSettings:
        """The settings that values mean above the defaults.

        :raises SettingsError: naming the first wrong key or value, and `owner`.
        """
        return validated(self._cls, self.merged(_nested_defaults(self._cls), values), owner)


def _nested_defaults(cls: type[BaseModel]) -> dict[str, Any]:
    """The groups of settings that a class has by default, as plain data; its other defaults need no layer."""
    defaults = {name: field.default for name, field in cls.model_fields.items()}
    return {name: value.model_dump(mode="json") for name, value in defaults.items() if isinstance(value, BaseModel)}


def _recipe_values(data: DatasetSpec, recipe: Recipe, scale: str) -> list[Mapping[str, Any]]:
    """What a recipe sets on a data set at a scale, layer by layer."""
    values = [data.defaults, recipe.settings, recipe.on.get(data.name, {})]
    if scale == "paper":
        return values
    if scale not in recipe.scales:
        raise UnknownName(f"scale of recipe '{recipe.id}'", scale, ["paper", *recipe.scales])
    return [*values, recipe.scales[scale].settings, recipe.scales[scale].on.get(data.name, {})]


def _refuse_fixed(recipe: Recipe, given: Mapping[str, Any]) -> None:
    for key in recipe.fixed:
        if key in given and given[key] != recipe.settings.get(key):
            raise SettingsError(
                f"recipe '{recipe.id}' is defined by {key}={_toml(recipe.settings.get(key))}; "
                f"{key}={_toml(given[key])} contradicts it",
                "choose another recipe (harness ls recipes)",
            )


def completed(catalog: Catalog, method: str, values: Mapping[str, Any]) -> MethodSettings:
    """Settings that a run was made with, and the defaults of those that there are besides.

    :raises UserError: where the method is not installed, or does not take them.
    """
    catalog.method(method)
    settings_class: type[MethodSettings] = catalog.load_spec("method", method, "settings")
    return _complete(catalog, Layers(settings_class).settings(values, f"method '{method}'"))


def _complete(catalog: Catalog, settings: S, group: str = "") -> S:
    """The settings with those of what they choose checked and filled in, however deep it lies."""
    found: dict[str, Settings] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Choice):
            if value.name is not None:
                full = chosen_settings(catalog, value, f"{group}{name}")
                found[name] = type(value)(name=catalog.named(value.kind, value.name), **full.model_dump(mode="json"))
        elif isinstance(value, Settings):
            found[name] = _complete(catalog, value, f"{group}{name}.")
    return settings.model_copy(update=found)


def chosen_settings(catalog: Catalog, choice: Choice, key: str) -> Settings:
    """The own settings of what is chosen, checked by its own class.

    :param key: the choice's dotted key, for errors.
    :raises UserError: where there is nothing of that name, or it cannot be told so.
    """
    assert choice.name is not None
    name = catalog.named(choice.kind, choice.name)
    cls: type[Settings] = catalog.load_spec(choice.kind, name, "settings")
    return validated(cls, choice.settings, f"{key.rpartition('.')[2]} '{name}'", prefix=f"{key}.")


def unlabelled(dataset: str) -> SettingsError:
    """What is wrong with conditions for data without labels."""
    return SettingsError(f"conditional=true, but data set '{dataset}' has no labels", "use --set conditional=false")


def _check_fit(catalog: Catalog, settings: MethodSettings, data: DatasetSpec) -> None:
    model = catalog.model(settings.backbone.name)
    check_kind(catalog, model, data, data.name)
    if data.kind == "points" and settings.flip:
        raise SettingsError(f"flip=true, but data set '{data.name}' holds points", "use --set flip=false")
    if data.kind == "images" and data.shape is not None:
        channels, height, width = data.shape
        fitted_shape((channels, height, width), settings.fit, model.resolutions, model.name)
    if settings.conditional and data.classes == ():
        raise unlabelled(data.name)
    _check_augmentation(catalog, settings, data)


def _check_augmentation(catalog: Catalog, settings: MethodSettings, data: DatasetSpec) -> None:
    """An augmentation changes what the data set holds, and leaves differences of nearby points what they are."""
    if settings.augmentation.name is None:
        return
    spec = catalog.augmentation(settings.augmentation.name)
    if data.kind not in spec.kinds:
        raise SettingsError(
            f"augmentation '{spec.name}' is for {' or '.join(spec.kinds)}, but '{data.name}' holds {data.kind}",
            "leave augmentation out",
        )
    if isinstance(settings, AdversarialSettings) and settings.penalty.name is not None:
        penalty = catalog.penalty(settings.penalty.name)
        if penalty.differences:
            raise SettingsError(
                f"penalty '{penalty.name}' compares nearby points, which augmentation '{spec.name}' would draw apart",
                "leave one of them out",
            )


def training_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of settings as plain data, those that touch what is trained."""
    # a choice of nothing is left out, so that runs from before there was the choice are the same experiment
    return {key: value for key, value in settings.items() if key not in WATCHING and value != {"name": None}}


def _training_part(settings: MethodSettings) -> dict[str, Any]:
    return training_settings(settings.model_dump(mode="json"))


def _toml(value: Any) -> str:
    return json.dumps(value)
