"""Typed settings: what a method can be told, how `--set` and TOML reach it, and how a wrong one is refused.

One flat namespace a method: what every method has (:class:`MethodSettings`) and what its own class adds. Defaults live
here and in the method's class, and nowhere else.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import SettingsError, did_you_mean, suggestion


class Settings(BaseModel):
    """Settings that cannot change once made and refuse keys they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, values: Any) -> Any:
        for name, value in values.items() if isinstance(values, Mapping) else ():
            field = cls.model_fields.get(name)
            if isinstance(value, bool) and field is not None and field.annotation in (int, float):
                raise ValueError(f"{name} takes a number, not {str(value).lower()}")
        return values


class BackboneChoice(Settings):
    """A backbone by name, with settings of its own (which its own class checks).

    ``--set backbone=NAME`` picks another and drops the settings of the one before.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def settings(self) -> dict[str, Any]:
        """What is set beside the name."""
        return dict(self.model_extra or {})


class EmaSettings(Settings):
    """Moving average of the generator's weights, which evaluation uses."""

    decay: float = Field(default=0.9999, ge=0, lt=1)
    """share of the old average kept at each step; 0 turns averaging off"""
    start: int = Field(default=1000, ge=0)
    """step before which the average is a copy"""


class NoEma(EmaSettings):
    """No average, unless its decay is set."""

    decay: float = Field(default=0.0, ge=0, lt=1)
    """share of the old average kept at each step; 0 turns averaging off"""


#: a decay rate of Adam's averages
Beta = Annotated[float, Field(ge=0, lt=1)]


class AdamSettings(Settings):
    """Plain Adam; weight decay is its coupled L2."""

    lr: float = Field(default=2e-4, gt=0)
    betas: tuple[Beta, Beta] = (0.0, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)


class PenaltySettings(Settings):
    """A gradient penalty on a discriminator."""

    name: str | None = None
    """which penalty; none named: no penalty"""
    weight: float = Field(default=1.0, ge=0)
    every: int = Field(default=1, gt=0)
    """discriminator steps from one penalty to the next; its weight is multiplied by this"""


class EvaluationSettings(Settings):
    """What is measured at the end and on the way."""

    metrics: tuple[str, ...] | None = None
    """names of metrics; none named: all that apply to the data and the method"""
    samples: int = Field(default=50_000, gt=0, le=10_000_000)
    """generated samples for distribution metrics (k-NN metrics use at most `neighbours_samples`)"""
    neighbours_samples: int = Field(default=10_000, gt=0)
    """most generated and real items for what grows with their product: precision, recall, density, coverage, ..."""
    split: str = "train"
    """the real split that generated samples are held against; splits joined by + are one, as in train+unlabeled; both:
    one number for train and one for test"""
    real_samples: int | None = Field(default=None, gt=0)
    """most real items of a split that Frechet distances use, drawn once for all runs; none: all"""
    extractors: tuple[str, ...] | None = None
    """feature networks; none named: those of the data set"""
    block: int = Field(default=250, gt=0, le=65_536)
    """images generated at once; part of the protocol, because it can change the last bits"""
    batch_norm: Literal["eval", "train", "standing"] = "eval"
    """statistics that the generator's batch norm uses while sampling"""
    quantise: Literal["round", "truncate", "none"] = "round"
    """how float images become uint8 before a feature network sees them; none: they stay floats, in 0 to 255"""
    pairs: int = Field(default=50_000, gt=0, le=10_000_000)
    """pairs of latents for path lengths and condition numbers"""
    outliers: tuple[str, ...] = ()
    """data sets whose images are outliers, for outlier detection"""
    intensities: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (1.0,)
    """shares of the outlier in a mixture with an image of the data set: 1 is the outlier itself"""
    every: int = Field(default=0, ge=0)
    """also evaluate every so many steps (0: only at the end)"""
    best: str | None = None
    """keep the checkpoint that is best by this metric or protocol id, as checkpoints/best.pt (needs `every`)"""

    @property
    def splits(self) -> tuple[str, ...]:
        """The real splits that `split` names."""
        return ("train", "test") if self.split == "both" else (self.split,)


def problem_with_fit(fit: str) -> str | None:
    """What is wrong with a way to make images fit: none, pad, resize, or crop:SIZE."""
    how, _, size = fit.partition(":")
    if how not in ("none", "pad", "resize", "crop") or (how == "crop") != bool(size):
        return "choose none, pad, resize or crop:SIZE"
    if size and (not size.isdigit() or int(size) < 1):
        return f"crop needs a size in pixels, not '{size}'"
    return None


class MethodSettings(Settings):
    """What every method has; a method's own class adds to it."""

    backbone: BackboneChoice = BackboneChoice(name="biggan")
    """the networks, by name, with settings of their own"""
    steps: int = Field(default=100_000, gt=0, le=1_000_000_000)
    """steps of the main stage (one step: one generator update)"""
    batch_size: int = Field(default=64, gt=0, le=1_000_000)
    """real images a discriminator step, over all devices"""
    conditional: bool = False
    """whether the generator is told a class"""
    fit: str = "none"
    """how images that do not fit the backbone are made to: none, pad, resize, or crop:SIZE"""
    flip: bool = False
    """mirror real images left to right at random"""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """arithmetic of the training step"""
    ema: EmaSettings = EmaSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    checkpoint_every: int = Field(default=1000, gt=0)
    """steps between checkpoints"""
    log_every: int = Field(default=100, gt=0)
    """steps between lines of the log"""
    sample_every: int = Field(default=1000, ge=0)
    """steps between sample grids (0: only at the end)"""
    train_split: str = "train"
    """the split that is trained on; several are joined by +, as in train+unlabeled"""
    subset_seed: int = Field(default=0, ge=0)
    """fixes which part of the training data a fraction keeps"""

    @model_validator(mode="after")
    def _fit_is_known(self) -> MethodSettings:
        if problem := problem_with_fit(self.fit):
            raise ValueError(problem)
        if self.evaluation.best is not None and self.evaluation.every == 0:
            raise ValueError("evaluation.best needs evaluation.every (or --evaluate-every)")
        return self


T = TypeVar("T", bound=Settings)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on top: nested mappings key by key, everything else replaced.

    A backbone under another name replaces the whole entry, since settings of one backbone mean nothing to another.
    """
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if key == "backbone" and isinstance(value, (str, Mapping)):
            value = {"name": value} if isinstance(value, str) else dict(value)
            if isinstance(old, Mapping) and value.get("name", old.get("name")) == old.get("name"):
                value = merged(old, value)
        elif isinstance(value, Mapping) and isinstance(old, Mapping):
            value = merged(old, value)
        result[key] = value
    return result


def parse_overrides(pairs: Iterable[str]) -> dict[str, Any]:
    """``["lr=0.1", "ema.decay=0.99"]`` as a nested mapping; values are read by :func:`read_value`.

    :raises SettingsError: where a pair has no equals sign or contradicts an earlier one.
    """
    result: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not all(part.strip() for part in key.split(".")):
            raise SettingsError(f"--set needs key=value, not '{pair}'")
        _put(result, [part.strip() for part in key.split(".")], read_value(text))
    return result


def _put(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put one value at its place among nested ones; a later value for the same key replaces the earlier."""
    *groups, last = path
    place = values
    for number, group in enumerate(groups, 1):
        inner = place.setdefault(group, {})
        if group == "backbone" and isinstance(inner, str):  # --set backbone=NAME --set backbone.width=8
            inner = place[group] = {"name": inner}
        if not isinstance(inner, dict):
            raise SettingsError(f"--set {'.'.join(path)} contradicts --set {'.'.join(path[:number])}={inner}")
        place = inner
    old = place.get(last)
    if last == "backbone" and isinstance(old, dict) and isinstance(value, str):  # the same the other way round
        old["name"] = value
    elif isinstance(old, dict):
        raise SettingsError(f"--set {'.'.join(path)}={value} contradicts --set {'.'.join(path)}.{next(iter(old))}")
    else:
        place[last] = value


def read_value(text: str) -> Any:
    """A value as it is typed after ``--set KEY=``: TOML, a list or mapping in JSON (which knows null), else text."""
    text = text.strip()
    if text in ("None", "null"):
        return None
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return _json_or_text(text)
    return found["value"] if len(found) == 1 else text


def _json_or_text(text: str) -> Any:
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def typed_value(value: Any) -> str:
    """What to type after ``--set KEY=`` so that :func:`read_value` gives this value; one line.

    :param value: plain data, as JSON has it.
    """
    if isinstance(value, str) and value.isprintable() and read_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML takes no raw DEL


def read_toml(path: Path) -> dict[str, Any]:
    """The settings in a TOML file.

    :raises SettingsError: where it is absent or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read settings from {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error


def validated(cls: type[T], values: Mapping[str, Any], owner: str, prefix: str = "") -> T:
    """Settings of class `cls` from plain values.

    :param owner: whom the settings belong to, for the error ("method 'toy'").
    :param prefix: what stands before the keys where the user types them ("backbone.").
    :raises SettingsError: one line for the first wrong key or value; near keys are offered.
    """
    try:
        return cls.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors()[0]
        raise _as_settings_error(cls, problem, owner, prefix) from None


def _as_settings_error(cls: type[Settings], problem: Mapping[str, Any], owner: str, prefix: str) -> SettingsError:
    path = [str(part) for part in problem["loc"]]
    key = prefix + ".".join(path)
    if problem["type"] == "extra_forbidden":
        return SettingsError(f"{owner} has no setting '{key}'", _near_keys(cls, path, prefix))
    message = problem["msg"].removeprefix("Value error, ")
    given = f" (given: {problem['input']!r})" if not isinstance(problem["input"], Mapping) else ""
    fix = None
    if problem["type"] == "tuple_type":
        items = [item.strip() for item in str(problem["input"]).split(",")]
        fix = f"write --set '{key}={json.dumps(items)}'"
    return SettingsError(f"setting '{key}' of {owner}: {message}{given}" if path else f"{owner}: {message}", fix)


def _near_keys(cls: type[BaseModel], path: Sequence[str], prefix: str) -> str:
    """The keys that could have been meant: by their last part, those in the same group before all others."""
    *groups, given = path
    group = "".join(f"{part}." for part in groups)
    known = setting_keys(cls)
    beside = [key for key in known if key.startswith(group) and "." not in key.removeprefix(group)]
    for keys in (beside, known):
        last_parts = {key.rpartition(".")[2] for key in keys}
        close = difflib.get_close_matches(given, sorted(last_parts), n=3, cutoff=0.6)
        near = [key for last in close for key in keys if key.rpartition(".")[2] == last]
        if near:
            return did_you_mean(prefix + key for key in near[:3])
    return suggestion(prefix + ".".join(path), [prefix + key for key in beside], most=40)


def setting_keys(cls: type[BaseModel], group: str = "") -> list[str]:
    """Every key of a settings class, dotted; a group counts as a key too."""
    keys: list[str] = []
    for name, field in cls.model_fields.items():
        keys.append(group + name)
        for annotation in (field.annotation, *get_args(field.annotation)):  # Group, or Group | None
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                keys += setting_keys(annotation, f"{group}{name}.")
    return keys


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted keys."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            result |= flattened(value, f"{prefix}{key}.")
        else:
            result[prefix + key] = value
    return result


__all__ = [
    "AdamSettings",
    "BackboneChoice",
    "Beta",
    "EmaSettings",
    "EvaluationSettings",
    "MethodSettings",
    "PenaltySettings",
    "Settings",
    "flattened",
    "merged",
    "parse_overrides",
    "read_toml",
    "setting_keys",
    "validated",
]
