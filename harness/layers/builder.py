"""A backbone from two functions: what is asked for is checked here, for all backbones alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.contracts.networks import AdapterFactory, Discriminator, Generator
from harness.errors import SettingsError

#: called with (conditions, adapters)
MakeGenerator = Callable[[int, AdapterFactory | None], Generator]

#: called with (conditions, outputs, heads, pack, adapters)
MakeDiscriminator = Callable[[int, int, Mapping[str, int], int, AdapterFactory | None], Discriminator]


@dataclass(frozen=True)
class NetworkBuilder:
    """A :class:`harness.contracts.Backbone`: the two networks for one shape of data.

    :param latent_dim: size of the latent of its generators.
    :param make_generator: builds a generator from arguments that were checked.
    :param make_discriminator: builds a discriminator from arguments that were checked.
    """

    latent_dim: int
    make_generator: MakeGenerator
    make_discriminator: MakeDiscriminator

    def generator(self, *, conditions: int = 0, adapters: AdapterFactory | None = None) -> Generator:
        """See :meth:`harness.contracts.Backbone.generator`.

        :raises SettingsError: for what no generator can be.
        """
        check_generator(conditions)
        return self.make_generator(conditions, adapters)

    def discriminator(
        self,
        *,
        conditions: int = 0,
        outputs: int = 1,
        heads: Mapping[str, int] | None = None,
        pack: int = 1,
        adapters: AdapterFactory | None = None,
    ) -> Discriminator:
        """See :meth:`harness.contracts.Backbone.discriminator`.

        :raises SettingsError: for what no discriminator can be.
        """
        check_discriminator(conditions, outputs, heads or {}, pack)
        return self.make_discriminator(conditions, outputs, heads or {}, pack, adapters)


def check_generator(conditions: int) -> None:
    """Refuse a number of conditions that no generator can have.

    :raises SettingsError: naming it.
    """
    if conditions < 0:
        raise SettingsError(f"a generator cannot have conditions={conditions}", "give 0 or more")


def check_discriminator(conditions: int, outputs: int, heads: Mapping[str, int], pack: int) -> None:
    """Refuse what no discriminator can be.

    :raises SettingsError: naming the argument.
    """
    if conditions < 0 or outputs < 0 or pack < 1:
        raise SettingsError(
            f"a discriminator cannot have conditions={conditions}, outputs={outputs}, pack={pack}",
            "conditions and outputs are at least 0, pack at least 1",
        )
    if conditions and outputs > 1:
        raise SettingsError(
            f"a discriminator told one of {conditions} conditions has one output, not {outputs}",
            "set outputs=1 (or 0), or conditions=0 for a head with many outputs",
        )
    for name, width in heads.items():
        if width < 1:
            raise SettingsError(f"head '{name}' of the discriminator has width {width}", "give it at least one output")
