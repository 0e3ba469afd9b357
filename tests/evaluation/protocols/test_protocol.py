from __future__ import annotations

import pytest

from harness.evaluation import Protocol, Term, differences

FD = Protocol(
    "fd",
    (
        Term("extractor", "pixels", "pixels"),
        Term("real_checksum", "abc"),
        Term("real_count", 10, "10x5"),
        Term("generated_count", 5),
    ),
)


def test_id_shows_the_terms_with_a_text_in_order() -> None:
    assert FD.id == "fd[pixels,10x5]"


def test_record_holds_every_field() -> None:
    assert FD.record() == {
        "metric": "fd",
        "extractor": "pixels",
        "real_checksum": "abc",
        "real_count": 10,
        "generated_count": 5,
    }


def test_a_field_cannot_be_fixed_twice() -> None:
    with pytest.raises(ValueError, match="fixes k twice"):
        Protocol("fd", (Term("k", 3), Term("k", 5)))


def test_equal_protocols_do_not_differ() -> None:
    assert differences(FD.record(), dict(FD.record())) == []


def test_differences_name_each_field_with_both_values() -> None:
    theirs = {**FD.record(), "real_checksum": "xyz"}
    assert [str(d) for d in differences(FD.record(), theirs)] == ["real_checksum: abc here, xyz there"]


def test_a_field_that_one_side_does_not_state_is_a_difference_either_way() -> None:
    more = {**FD.record(), "k": 3}
    assert [tuple(d) for d in differences(FD.record(), more)] == [("k", "not stated", 3)]
    assert [tuple(d) for d in differences(more, FD.record())] == [("k", 3, "not stated")]
