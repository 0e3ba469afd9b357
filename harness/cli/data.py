"""``harness data``: where a data set's files belong, whether they are sound, and getting the missing ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.catalog import Catalog, open_catalog
from harness.cli.options import AsJson, DataRoot, Without
from harness.cli.printing import print_json, print_table
from harness.contracts.specs import DatasetSpec, RemoteFile
from harness.errors import DataError

if TYPE_CHECKING:
    from harness.files.checks import FileState

app = typer.Typer(help="Find, check and download data sets.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A data set, as `harness ls datasets` names it (folder:PATH with its path).")]
Offline = Annotated[bool, typer.Option("--offline", help="Never touch the network.")]


@app.command()
def path(
    name: Name,
    data_root: DataRoot = None,
    offline: Offline = False,
    as_json: AsJson = False,
    without: Without = None,
) -> None:
    """Print the folder that a data set's files belong in."""
    from harness.data.files import data_root as root_of, own_folder

    spec = _with_files(open_catalog(without or ()), name)
    root = root_of(data_root)
    argument = name.partition(":")[2]
    folder = Path(argument).expanduser() if argument else own_folder(spec, root)
    if as_json:
        print_json({"dataset": name, "root": str(root), "path": str(folder), "files": [f.name for f in spec.files]})
    else:
        print(folder)


@app.command()
def verify(
    name: Name,
    data_root: DataRoot = None,
    offline: Offline = False,
    as_json: AsJson = False,
    without: Without = None,
) -> None:
    """Check every file of a data set; one without files is loaded instead."""
    from harness.data.files import data_root as root_of, fetch_command
    from harness.data.verifying import verify as verify_files

    catalog = open_catalog(without or ())
    spec = catalog.dataset(name)
    root = root_of(data_root)
    if not spec.files:
        _verify_by_loading(catalog, name, root, as_json)
        return
    states = verify_files(spec, root)
    print_states("dataset", name, states, as_json)
    bad = [state for state in states if state.state in ("missing", "corrupt")]
    if bad:
        first, *more = bad
        others = f" (and {len(more)} more)" if more else ""
        problem = f"{first.name} of data set '{name}' is {first.state}{others}"
        place = f"delete {first.path} and run" if first.state == "corrupt" else "get it with"
        raise DataError(problem, f"{place}: {fetch_command(spec, root)}")


@app.command()
def fetch(
    name: Name,
    data_root: DataRoot = None,
    offline: Offline = False,
    as_json: AsJson = False,
    without: Without = None,
) -> None:
    """Download the files of a data set that are missing; what is there is checked and left alone."""
    from harness.data.files import data_root as root_of, download, missing
    from harness.data.verifying import verify_file

    spec = _with_files(open_catalog(without or ()), name)
    root = root_of(data_root)
    states = []
    for file in spec.files:
        found = verify_file(spec, file, root)
        corrupt = next((state for state in found if state.state == "corrupt"), None)
        if corrupt is not None:
            raise DataError(f"{corrupt.path} is truncated or corrupt: {corrupt.detail}", "delete it and fetch again")
        if any(state.state == "missing" for state in found):
            if offline:
                absent = missing(spec, file, root)
                raise DataError(f"{absent.problem}; --offline forbids downloading it", "leave --offline out")
            download(spec, file, root, None if as_json else show_progress)
            found = verify_file(spec, file, root)
        states += found
    if not states and not as_json:
        print(f"data set '{name}' has no files to download")
        return
    print_states("dataset", name, states, as_json)


def _with_files(catalog: Catalog, name: str) -> DatasetSpec:
    """The data set whose files these are: another, where this one is made of it."""
    spec = catalog.dataset(name)
    return spec if spec.made_of is None else catalog.dataset(spec.made_of)


def _verify_by_loading(catalog: Catalog, name: str, root: Path, as_json: bool) -> None:
    """Load every split that there is and print what was found."""
    from harness.contracts.data import NoSplit
    from harness.data import Law, load_dataset

    loaded = load_dataset(catalog, name, root)
    entries: list[dict[str, Any]] = []
    for split_name in loaded.spec.splits:
        try:
            split = loaded.split(split_name)
        except NoSplit as error:  # a folder of images need not be divided
            entries.append({"split": split_name, "items": 0, "sha256": None, "detail": str(error)})
            continue
        items = None if isinstance(split, Law) else len(split)
        entries.append({"split": split_name, "items": items, "sha256": split.checksum, "detail": None})
    if as_json:
        print_json({"dataset": name, "splits": entries})
        return
    rows = [
        (e["split"], "endless" if e["items"] is None else str(e["items"]), e["detail"] or f"sha256 {e['sha256']}")
        for e in entries
    ]
    print_table(("split", "items", "state"), rows)


def print_states(kind: str, name: str, states: list[FileState], as_json: bool) -> None:
    """What is known of each file of a data set or a feature network (`kind`: the key of its name in JSON)."""
    if as_json:
        files = [
            {"name": s.name, "state": s.state, "path": str(s.path) if s.path else None, "detail": s.detail}
            for s in states
        ]
        print_json({kind: name, "files": files})
        return
    for state in states:
        print(f"{state.name}: {state.state}, {state.detail}" + (f" ({state.path})" if state.path else ""))


def show_progress(file: RemoteFile, done: int, total: int | None) -> None:
    """One line that is rewritten, on a terminal only."""
    if not sys.stderr.isatty():
        return
    share = f"{100 * done // total} % of {total / 2**20:.0f} MiB" if total else f"{done / 2**20:.0f} MiB"
    print(f"\r{file.name}: {share}", end="\n" if done == total else "", file=sys.stderr, flush=True)
