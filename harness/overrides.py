"""How settings are given: merged layer upon layer, read from `--set` and TOML, checked, and refused in one line."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from harness.contracts.settings import Choice, MethodSettings, Settings
from harness.errors import SettingsError, did_you_mean, suggestion

T = TypeVar("T", bound=Settings)


def choices_of(cls: type[BaseModel], group: str = "") -> frozenset[str]:
    """Dotted keys of the settings that choose something registered by name, however deep they lie."""
    found: set[str] = set()
    for name, field in cls.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Choice):
            found.add(group + name)
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= choices_of(kind, f"{group}{name}.")
    return frozenset(found)


#: the choices that every method has
COMMON_CHOICES = choices_of(MethodSettings)


def merged(
    base: Mapping[str, Any],
    over: Mapping[str, Any],
    choices: Collection[str] = COMMON_CHOICES,
    group: str = "",
) -> dict[str, Any]:
    """`base` with `over` laid on top: nested mappings key by key, everything else replaced.

    A choice under another name replaces the whole entry, since settings of one backbone mean nothing to another.

    :param choices: dotted keys of the choices (:func:`choices_of`).
    :param group: where both mappings lie, as a prefix of dotted keys.
    """
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, str) and isinstance(value, Mapping):
            old = {"name": old}
        if isinstance(old, Mapping) and isinstance(value, str):
            value = {"name": value}
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            other = f"{group}{key}" in choices and value.get("name", old.get("name")) != old.get("name")
            value = dict(value) if other else merged(old, value, choices, f"{group}{key}.")
        elif f"{group}{key}" in choices and isinstance(value, str):
            value = {"name": value}
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
        if isinstance(inner, str):  # --set backbone=NAME --set backbone.width=8
            inner = place[group] = {"name": inner}
        if not isinstance(inner, dict):
            raise SettingsError(f"--set {'.'.join(path)} contradicts --set {'.'.join(path[:number])}={inner}")
        place = inner
    old = place.get(last)
    if isinstance(old, dict) and isinstance(value, str) and "name" not in old:  # the same the other way round
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
        alone = problem["input"]
        items = [item.strip() for item in alone.split(",")] if isinstance(alone, str) else [alone]
        fix = f"write --set '{key}={json.dumps(items)}'"
    if not path:  # a rule of the whole class
        key = prefix.removesuffix(".")
    return SettingsError(f"setting '{key}' of {owner}: {message}{given}" if key else f"{owner}: {message}", fix)


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
