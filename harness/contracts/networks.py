"""What a backbone promises: two networks, the places in them, and what a critic says of an image.

A method puts modules of its own at *places* (after each block; a backbone may have more) by handing over a factory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from torch import Tensor, nn


@dataclass(frozen=True)
class Place:
    """A spot in a network where a method may put a module.

    :param network: which of the two.
    :param kind: "block" for the output of a block; a backbone may have other kinds.
    :param index: counted from 1 in the order of computation.
    :param width: channels of the map there.
    :param resolution: pixels a side of the map there; 0 for points.
    """

    network: Literal["generator", "discriminator"]
    kind: str
    index: int
    width: int
    resolution: int

    @property
    def name(self) -> str:
        """Short and unique within a network: "block1"."""
        return f"{self.kind}{self.index}"


class Adapted(NamedTuple):
    """What an adapter returns: the map that goes on, and anything the method wants to know (a "note")."""

    map: Tensor
    note: Any = None


#: noise for the generator's adapters: called with (place name, shape) and returns that much standard normal noise
Noise = Callable[[str, tuple[int, ...]], Tensor]


class Adapter(Protocol):
    """A module at a place."""

    def __call__(self, features: Tensor, noise: Noise | None = None) -> Adapted:
        """Features [N, C, H, W] (or [N, C]) in, the same shape out."""
        ...


#: returns a module that is an :class:`Adapter`, or None to leave the place alone
AdapterFactory = Callable[[Place], nn.Module | None]


@dataclass
class Critique:
    """What a discriminator says of a batch.

    :param logit: [N] with one output, [N, K] with K; includes the class term. None without a linear head.
    :param class_term: [N], what the logit owes to the condition; None when unconditional.
    :param feature: [N, F], what the linear head sees.
    :param maps: by place name, the map that went on from there.
    :param heads: by name, outputs of the extra linear heads [N, width].
    :param notes: by place name, what the adapters noted.
    """

    logit: Tensor | None
    class_term: Tensor | None
    feature: Tensor
    maps: dict[str, Tensor] = field(default_factory=dict)
    heads: dict[str, Tensor] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def split(self, *sizes: int) -> list[Critique]:
        """Critiques of parts of the batch, one after another; notes, whose form is their adapter's own, are left out.

        :param sizes: rows of each part, which add up to those of the batch.
        """

        def cut(value: Tensor | None) -> list[Any]:
            return [None] * len(sizes) if value is None else list(value.split(sizes))

        logits, terms, features = cut(self.logit), cut(self.class_term), cut(self.feature)
        maps, heads = ({name: cut(value) for name, value in each.items()} for each in (self.maps, self.heads))
        return [
            Critique(
                logits[part],
                terms[part],
                features[part],
                {name: values[part] for name, values in maps.items()},
                {name: values[part] for name, values in heads.items()},
            )
            for part in range(len(sizes))
        ]

    @property
    def score(self) -> Tensor:
        """The logit, where there is a linear head."""
        if self.logit is None:
            raise ValueError("this discriminator was built without a linear head (outputs=0)")
        return self.logit


class Generator(nn.Module):
    """Latents to images. Subclasses define :meth:`forward` and set the two attributes.

    :ivar latent_dim: size of the latent.
    :ivar places: every place, whether or not a module was put there.
    """

    latent_dim: int
    places: tuple[Place, ...]

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """Latent [N, latent_dim] and a condition to images [N, C, H, W] or points [N, D].

        Images lie about [-1, 1]; a linear output may leave it, and what is sampled is clamped. In training mode a
        generator may return what its own discriminator alone reads (an atlas of all resolutions).

        :param condition: one number an item, int64 [N]; several labels, int64 [N, L]; or weights of all conditions,
            float [N, K] (:func:`harness.layers.embed`).
        :param noise: where all random numbers of the pass come from, beside the latent.
        """
        raise TypeError(f"{type(self).__name__} does not define forward")


class StyledGenerator(Generator):
    """A generator with a latent space of its own between its latents and its images (StyleGAN's W).

    Subclasses define :meth:`styles` and :meth:`synthesise`, and set one more attribute.

    :ivar n_styles: styles that an image is made from, one a layer.
    :ivar style_mixing: how often, in training, a part of the layers gets the styles of another latent, in [0, 1].
    """

    n_styles: int
    style_mixing: float = 0.0

    def styles(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Latent [N, latent_dim] and a condition to styles [N, W], the same for all layers, without truncation."""
        raise TypeError(f"{type(self).__name__} does not define styles")

    def synthesise(self, styles: Tensor, noise: Noise | None = None) -> Tensor:
        """Styles [N, W], or one a layer [N, n_styles, W], to what :meth:`forward` returns."""
        raise TypeError(f"{type(self).__name__} does not define synthesise")

    def layers(self, latent: Tensor, condition: Tensor | None = None) -> Mapping[str, Tensor]:
        """What each layer makes of a latent on the way to its styles, [N, F] by name, in order."""
        return {"styles": self.styles(latent, condition)}

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """See :meth:`Generator.forward`."""
        return self.synthesise(self.styles(latent, condition), noise)


class Discriminator(nn.Module):
    """Images to critiques. Subclasses define :meth:`forward` and set the two attributes.

    :ivar feature_dim: size of the feature that the linear head sees.
    :ivar places: every place, whether or not a module was put there.
    """

    feature_dim: int
    places: tuple[Place, ...]

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        """Images in [-1, 1] or points, and a condition as a generator is told it, to a critique."""
        raise TypeError(f"{type(self).__name__} does not define forward")

    def as_made(self, images: Tensor) -> Tensor:
        """Real images [N, C, H, W] in the form of what the generator makes in training: themselves, or an atlas."""
        return images


class Backbone(Protocol):
    """Builds the networks of one experiment; may be called more than once for more than one of either."""

    @property
    def latent_dim(self) -> int:
        """Size of the latent of its generators."""
        ...

    def generator(self, *, conditions: int = 0, adapters: AdapterFactory | None = None) -> Generator:
        """A generator that is told one of `conditions` (0: nothing)."""
        ...

    def discriminator(
        self,
        *,
        conditions: int = 0,
        outputs: int = 1,
        heads: Mapping[str, int] | None = None,
        pack: int = 1,
        adapters: AdapterFactory | None = None,
    ) -> Discriminator:
        """A discriminator.

        :param conditions: it is told one of so many (0: nothing), by projection or by a row of the linear head.
        :param outputs: logits of the linear head; 0 leaves the head out.
        :param heads: extra linear heads on the feature, by name and width.
        :param pack: images that it sees at once, stacked along the channels.
        """
        ...
