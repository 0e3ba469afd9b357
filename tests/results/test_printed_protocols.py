"""The file in which a paper's protocols stand: what reads back, and what each rule refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.errors import UserError
from harness.results.printed_protocols import PrintedProtocol, read_protocols

FULL = """
[fid]
summary = "FID of 50,000 samples"
source = "Section 4"
measured_as = "fid"
factor = 100
higher_is_better = false
runs = 5
spread = "standard deviation"
per_row = ["intensity", "outliers"]
open = ["resize", "block"]
note = "a doubt"

[fid.fields]
extractor = "inception-tf"
real_count = 50000
step = 0.0001
scaled = true
whole = 2.0
"""


def written(folder: Path, content: str | bytes) -> Path:
    """A ``protocols.toml`` in the folder of a paper called smith."""
    path = folder / "smith" / "protocols.toml"
    path.parent.mkdir()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_protocols(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_everything_that_a_protocol_says_reads_back(tmp_path: Path) -> None:
    found = read_protocols(written(tmp_path, FULL))
    fields = {"extractor": "inception-tf", "real_count": 50_000, "step": 1e-4, "scaled": True, "whole": 2.0}
    assert found == {
        "fid": PrintedProtocol(
            key="fid",
            summary="FID of 50,000 samples",
            source="Section 4",
            measured_as="fid",
            factor=100.0,
            higher_is_better=False,
            runs=5,
            spread="standard deviation",
            per_row=("intensity", "outliers"),
            fields=fields,
            open=("resize", "block"),
            note="a doubt",
        )
    }
    kinds = {key: type(value) for key, value in found["fid"].fields.items()}
    assert kinds == {"extractor": str, "real_count": int, "step": float, "scaled": bool, "whole": float}


def test_what_is_not_said_is_not_known(tmp_path: Path) -> None:
    found = read_protocols(written(tmp_path, "[t]\nsummary = 'a duration'"))["t"]
    assert (found.measured_as, found.higher_is_better, found.runs) == (None, None, None)
    assert (found.factor, found.fields, found.per_row, found.open) == (1.0, {}, (), ())
    assert (found.source, found.spread, found.note) == ("", "", "")


def test_protocols_keep_the_order_of_the_file_and_know_their_keys(tmp_path: Path) -> None:
    found = read_protocols(written(tmp_path, "[z]\nsummary = '1'\n[a-b]\nsummary = '2'\n[m]\nsummary = '3'"))
    assert [(key, protocol.key, protocol.summary) for key, protocol in found.items()] == [
        ("z", "z", "1"),
        ("a-b", "a-b", "2"),
        ("m", "m", "3"),
    ]


def test_an_empty_file_has_no_protocols(tmp_path: Path) -> None:
    assert read_protocols(written(tmp_path, "")) == {}


def test_a_field_is_open_in_one_protocol_and_stated_in_another(tmp_path: Path) -> None:
    found = read_protocols(written(tmp_path, "[a]\nsummary='1'\nfields={k=3}\n[b]\nsummary='2'\nopen=['k']"))
    assert (found["a"].fields, found["b"].open) == ({"k": 3}, ("k",))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("summary = ''", "summary: String should have at least 1 character"),
        ("source = 'no summary'", "summary: Field required"),
        ("summary = 3", "summary: "),
        ("summary = 'x'\nmeasuredas = 'fid'", "measuredas: Extra inputs are not permitted"),
        ("summary = 'x'\nfactor = 0", "factor: Input should be greater than 0"),
        ("summary = 'x'\nfactor = -1", "factor: Input should be greater than 0"),
        ("summary = 'x'\nfactor = inf", "factor: Input should be a finite number"),
        ("summary = 'x'\nfactor = nan", "factor: Input should be "),
        ("summary = 'x'\nruns = 0", "runs: Input should be greater than 0"),
        ("summary = 'x'\nruns = 2.5", "runs: Input should be a valid integer"),
        ("summary = 'x'\nhigher_is_better = 'maybe'", "higher_is_better: Input should be a valid boolean"),
        ("summary = 'x'\nmeasured_as = 3", "measured_as: Input should be a valid string"),
        ("summary = 'x'\nper_row = 'k'", "per_row: Input should be a valid tuple"),
        ("summary = 'x'\nopen = 'k'", "open: Input should be a valid tuple"),
        ("summary = 'x'\nfields = ['k']", "fields: Input should be a valid dictionary"),
        ("summary = 'x'\nfields = {k = [1, 2]}", "fields.k"),
        ("summary = 'x'\nfields = {k = {a = 1}}", "fields.k"),
        ("summary = 'x'\nfields = {k = nan}", "fields.k"),
        ("summary = 'x'\nkey = 'x'", "multiple values for keyword argument 'key'"),
    ],
)
def test_a_broken_protocol_is_named_with_its_file_and_key(tmp_path: Path, line: str, said: str) -> None:
    message = refusal(written(tmp_path, f"[fine]\nsummary = 'x'\n[bad]\n{line}"))
    assert message.startswith("smith/protocols.toml: protocol 'bad': ")
    assert said in message


@pytest.mark.parametrize("stated", ["fields = {k = 3, split = 'train'}", "per_row = ['split', 'k']"])
def test_what_is_stated_is_not_open(tmp_path: Path, stated: str) -> None:
    message = refusal(written(tmp_path, f"[fid]\nsummary = 'x'\nopen = ['block', 'split', 'k']\n{stated}"))
    assert message == "smith/protocols.toml: protocol 'fid' states k and calls it open"


@pytest.mark.parametrize(
    "content", ["[fid", "summary = ", "[a]\nsummary='1'\n[a]\nsummary='2'", b"[fid]\nsummary='\xff'"]
)
def test_what_is_no_toml_is_refused(tmp_path: Path, content: str | bytes) -> None:
    assert refusal(written(tmp_path, content)).startswith("smith/protocols.toml is not valid TOML: ")


@pytest.mark.parametrize("content", ["fid = 3", "fid = ['x']", "[[fid]]\nsummary = 'x'"])
def test_a_value_outside_of_a_protocol_is_refused(tmp_path: Path, content: str) -> None:
    message = refusal(written(tmp_path, content))
    assert message == "smith/protocols.toml: 'fid' stands outside of a table; begin each protocol with [key]"


def test_a_file_that_is_not_there_is_named_in_full(tmp_path: Path) -> None:
    path = tmp_path / "smith" / "protocols.toml"
    assert refusal(path) == f"cannot read {path}: No such file or directory"


def test_a_protocol_cannot_be_changed(tmp_path: Path) -> None:
    (protocol,) = read_protocols(written(tmp_path, FULL)).values()
    with pytest.raises(ValidationError, match="frozen"):
        protocol.factor = 1.0  # type: ignore[misc]
