"""Draws depend on what they are for, and on nothing else."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from harness.randomness import Seeds, derived_seed, keyed, seed_everything

indices = st.lists(st.integers(0, 2**40), max_size=6)


# -- derived seeds ---------------------------------------------------------------------------------------


def test_a_derived_seed_never_changes() -> None:
    # stored runs depend on these values
    assert derived_seed("stream", 0) == 7812845908104327425
    assert derived_seed("stream", 0, bits=32) == 7812845908104327425 >> 31


@settings(max_examples=50)
@given(st.lists(st.one_of(st.integers(), st.text(max_size=4)), max_size=4), st.sampled_from([1, 32, 63, 64]))
def test_a_derived_seed_fits_its_bits(parts: list[int | str], bits: int) -> None:
    assert 0 <= derived_seed(*parts, bits=bits) < 2**bits


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1,), ("1",)),
        (("a", "b"), ("ab",)),
        (("ab", "c"), ("a", "bc")),
        ((1, 2), (2, 1)),
        ((1,), (1 + 2**32,)),
        ((0,), (0, 0)),
        ((), ("",)),
    ],
)
def test_every_part_and_its_place_counts(one: tuple[int | str, ...], other: tuple[int | str, ...]) -> None:
    assert derived_seed(*one) != derived_seed(*other)


def test_keyed_generators_repeat_and_differ() -> None:
    assert keyed("a", 1).random() == keyed("a", 1).random()
    assert keyed("a", 1).random() != keyed("a", 2).random()


def test_keyed_draws_are_independent_of_each_other() -> None:
    first = np.array([keyed("x", i).standard_normal() for i in range(2000)])
    second = np.array([keyed("y", i).standard_normal() for i in range(2000)])
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08  # 3.6 standard errors
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.08


def test_seed_everything_fixes_all_three_global_generators() -> None:
    def draws() -> tuple[float, float, float]:
        return torch.rand(()).item(), float(np.random.rand()), random.random()

    seed_everything("run", 3)
    first = draws()
    seed_everything("run", 3)
    assert draws() == first
    seed_everything("run", 3 + 2**32)
    assert all(new != old for new, old in zip(draws(), first, strict=True))


# -- draws by sample -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(indices, st.integers(0, 2**32))
def test_a_sample_is_the_same_in_every_company(numbers: list[int], run_seed: int) -> None:
    together = Seeds(run_seed, numbers).normal("latent", 3)
    assert together.shape == (len(numbers), 3)
    for row, number in enumerate(numbers):
        assert torch.equal(together[row], Seeds(run_seed, [number]).normal("latent", 3)[0])


def test_a_sample_does_not_depend_on_what_was_drawn_before() -> None:
    seeds = Seeds(0, range(4))
    first = seeds.normal("latent", 2)
    seeds.uniform("noise", 5)
    torch.manual_seed(99)
    assert torch.equal(seeds.normal("latent", 2), first)


def test_a_longer_draw_begins_with_the_shorter_one() -> None:
    assert torch.equal(Seeds(0, [7]).normal("latent", 8)[:, :5], Seeds(0, [7]).normal("latent", 5))


@pytest.mark.parametrize("other", [Seeds(1, [0]), Seeds(0, [1])])
def test_run_seed_and_index_both_count(other: Seeds) -> None:
    assert not torch.equal(Seeds(0, [0]).normal("latent", 4), other.normal("latent", 4))


def test_purposes_have_draws_of_their_own() -> None:
    seeds = Seeds(0, range(3))
    assert not torch.equal(seeds.normal("latent", 4), seeds.normal("noise", 4))


def test_a_subset_keeps_its_draws() -> None:
    seeds = Seeds(5, [10, 20, 30])
    rows = np.array([2, 0])
    assert torch.equal(seeds.subset(rows).uniform("redraw", 2), seeds.uniform("redraw", 2)[rows])


def test_no_samples_give_an_empty_tensor() -> None:
    assert Seeds(0, []).normal("latent", 3).shape == (0, 3)
    assert len(Seeds(0, [])) == 0


def test_types_and_ranges() -> None:
    seeds = Seeds(0, range(200))
    normal, uniform, integers = seeds.normal("a", 2, 3), seeds.uniform("b", 4), seeds.integers("c", 5)
    assert (normal.dtype, normal.shape) == (torch.float32, (200, 2, 3))
    assert (uniform.dtype, float(uniform.min()) >= 0, float(uniform.max()) < 1) == (torch.float32, True, True)
    assert (integers.dtype, sorted(set(integers.tolist()))) == (torch.int64, [0, 1, 2, 3, 4])


def test_the_laws_are_the_ones_promised() -> None:
    from scipy import stats

    seeds = Seeds(0, range(3000))
    assert stats.kstest(seeds.normal("a", 1).numpy().ravel(), "norm").pvalue > 1e-3
    assert stats.kstest(seeds.uniform("b", 1).numpy().ravel(), "uniform").pvalue > 1e-3
    counts = np.bincount(seeds.integers("c", 6).numpy(), minlength=6)
    assert stats.chisquare(counts).pvalue > 1e-3
