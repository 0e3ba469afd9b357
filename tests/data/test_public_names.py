from __future__ import annotations

import subprocess
import sys

import pytest

import harness.data


@pytest.mark.parametrize("name", harness.data.__all__)
def test_every_public_name_can_be_had(name) -> None:
    assert getattr(harness.data, name).__module__.startswith(("harness.data.", "harness.contracts."))


def test_other_names_cannot() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        harness.data.nothing  # noqa: B018 - the look-up is the test


@pytest.mark.parametrize("command", ["path mnist", "verify mnist --data-root nowhere", "fetch mnist --offline"])
def test_finding_and_checking_files_needs_no_torch(command, tmp_path) -> None:
    code = (
        f"import sys; from harness.cli import main; main(['data', *{command.split()!r}]); "
        "print([m for m in ('torch', 'numpy', 'sklearn', 'PIL', 'pandas') if m in sys.modules], file=sys.stderr)"
    )
    environment = {"HARNESS_DATA": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert ran.stderr.splitlines()[-1] == "[]"
