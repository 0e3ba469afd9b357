"""``harness weights``: where the weights of feature networks belong, whether they are sound, and getting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.catalog import open_catalog
from harness.cli.data import Offline, print_states, show_progress
from harness.cli.options import AsJson, Without
from harness.cli.printing import print_json
from harness.contracts.specs import ExtractorSpec, RemoteFile
from harness.errors import EvaluationError

if TYPE_CHECKING:
    from harness.files.checks import FileState

app = typer.Typer(help="Find, check and download the weights of feature networks.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A feature network, as `harness ls extractors` names it.")]


@app.command()
def path(name: Name, offline: Offline = False, as_json: AsJson = False, without: Without = None) -> None:
    """Print where each file belongs: below HARNESS_WEIGHTS, or in the package that it ships with."""
    from harness.evaluation.feature_networks.weights import weights_files, weights_folder, weights_place

    spec = open_catalog(without or ()).extractor(name)
    places = {file.name: str(weights_place(spec, file)) for file in weights_files(spec)}
    if as_json:
        files = [{"name": file, "path": place} for file, place in places.items()]
        print_json({"extractor": name, "root": str(weights_folder()), "files": files})
    else:
        print("\n".join(places.values()) or _none(spec))


@app.command()
def verify(name: Name, offline: Offline = False, as_json: AsJson = False, without: Without = None) -> None:
    """Check every file of weights that a feature network needs."""
    from harness.evaluation.feature_networks.weights import refusal, weights_states

    spec = open_catalog(without or ()).extractor(name)
    states = weights_states(spec)
    _print_states(spec, states, as_json)
    for state in states:
        if state.state != "ok":
            raise refusal(spec, state)


@app.command()
def fetch(name: Name, offline: Offline = False, as_json: AsJson = False, without: Without = None) -> None:
    """Download the files that are missing; what is there is checked and left alone."""
    from harness.evaluation.feature_networks.weights import refusal, weights_files, weights_state

    spec = open_catalog(without or ()).extractor(name)
    states = []
    for file in weights_files(spec):
        state = weights_state(spec, file)
        if state.state == "missing":
            _fetch(spec, file, state, offline, as_json)
            state = weights_state(spec, file)
        if state.state != "ok":
            raise refusal(spec, state)
        states.append(state)
    _print_states(spec, states, as_json)


def _fetch(spec: ExtractorSpec, file: RemoteFile, state: FileState, offline: bool, as_json: bool) -> None:
    """Download one file; one that ships with a package, or has no address, is the user's to get."""
    from harness.evaluation.feature_networks.weights import refusal, weights_place, weights_problem
    from harness.files.downloading import download_to

    absent = refusal(spec, state)
    if spec.packaged is not None or file.url is None:
        raise absent
    if offline:
        raise EvaluationError(f"{absent.problem}; --offline forbids downloading it", "leave --offline out")
    progress = None if as_json else show_progress
    download_to(weights_place(spec, file), file, source=spec.source, check=weights_problem, progress=progress)


def _print_states(spec: ExtractorSpec, states: list[FileState], as_json: bool) -> None:
    if states or as_json:
        print_states("extractor", spec.name, states, as_json)
    else:
        print(_none(spec))


def _none(spec: ExtractorSpec) -> str:
    return f"extractor '{spec.name}' needs no weights"
