"""``folder:PATH``: the user's own images, in class folders or in one heap, with or without train and test folders."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from harness.builtin.datasets.image_tree import ImageTree
from harness.contracts import DataRequest, NoSplit, Split
from harness.errors import DataError

#: names of sub-folders that are splits; the first that is there stands for the split
SPLIT_FOLDERS = {"train": ("train",), "test": ("test", "val", "valid", "validation")}
ALL_SPLIT_FOLDERS = frozenset(name for names in SPLIT_FOLDERS.values() for name in names)

#: Pillow's modes and the channels that they become; palettes and bitmaps lose nothing by it
CHANNELS = {"L": 1, "1": 1, "RGB": 3, "P": 3, "RGBA": 3, "LA": 1}
LOSSY = frozenset(("JPEG", "MPO"))


def load(request: DataRequest) -> Split:
    """A split of the folder or archive at the request's argument, looked for as typed and below the data root."""
    tree = ImageTree(located(request.argument or "", request.root))
    layout = arranged(tree)
    members = layout.split(request.split)
    images, notes = decoded(tree, [member.path for member in members])
    if layout.ignored:
        notes["ignored_files"] = layout.ignored
    if not layout.classes:
        return Split(images, None, (), notes)
    labels = np.array([layout.classes.index(member.label) for member in members], dtype=np.int64)
    return Split(images, labels, layout.classes, notes)


def located(argument: str, root: Path, what: str = "folder or archive") -> Path:
    """The path that the user means, as typed or below the data root.

    :param what: should be there, in words.
    """
    path = Path(argument).expanduser()
    places = [path] if path.is_absolute() else [path, root / path]
    for place in places:
        if place.exists():
            return place
    looked = " and ".join(str(place.absolute()) for place in places)
    raise DataError(f"there is no {what} '{argument}', looked for at {looked}")


# -------------------------------------------------------------------------------------------------
# which file is what
# -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Member:
    """An image of a split; `label` is empty where there are no classes."""

    path: str
    label: str


@dataclass(frozen=True)
class Layout:
    """How the images of a tree fall into splits and classes.

    :param splits: "train", and "test" where there is one; images in the order of their paths.
    """

    tree: ImageTree
    splits: dict[str, list[Member]]
    classes: tuple[str, ...]
    ignored: int = 0

    def split(self, name: str) -> list[Member]:
        """The images of a split."""
        if name not in self.splits:
            folders = " or ".join(f"{folder}/" for folder in SPLIT_FOLDERS[name])
            raise NoSplit(f"{self.tree.path} has no {name} split: it holds no folder {folders}")
        return self.splits[name]


def arranged(tree: ImageTree) -> Layout:
    """Find out splits and classes from the names of files and folders.

    :raises DataError: where the tree is empty, a class folder holds no image, or images lie beside class folders.
    """
    images, folders, ignored = tree.listing()
    if not images:
        raise DataError(f"{tree.path} holds no images", "images end in .png, .jpg, .bmp, .webp, .ppm, .pgm or .tif")
    parts = _split_folders(tree, images, folders)
    members = {split: _members(tree, images, folders, base) for split, base in parts.items()}
    classes: list[set[str]] = [{member.label for member in found} for found in members.values()]
    different = {name for names in classes for name in names if not all(name in others for others in classes)}
    if different:
        name = min(different) or "(images without a class)"
        raise DataError(f"the splits of {tree.path} have different classes: only one of them has '{name}'")
    names = tuple(sorted(classes[0]))
    return Layout(tree, members, () if names == ("",) else names, ignored)


def _split_folders(tree: ImageTree, images: Sequence[str], folders: Sequence[str]) -> dict[str, str]:
    """The folder ("name/", or nothing for the root) that each split's images lie in."""
    base = _wrapper(images, folders)
    tops = set(_children(folders, base))
    if not tops & ALL_SPLIT_FOLDERS:
        return {"train": base}
    strange = [base + top for top in tops - ALL_SPLIT_FOLDERS]
    strange += [image for image in images if "/" not in image.removeprefix(base)]
    if strange:
        beside = ", ".join(f"{name}/" for name in sorted(tops & ALL_SPLIT_FOLDERS))
        raise DataError(f"{tree.where(min(strange))} lies beside {beside}", "keep only split folders there, or none")
    found = {split: next((name for name in names if name in tops), None) for split, names in SPLIT_FOLDERS.items()}
    return {split: f"{base}{name}/" for split, name in found.items() if name is not None}


def _wrapper(images: Sequence[str], folders: Sequence[str]) -> str:
    """The one folder that an archive's files are often wrapped in ("name/"), or nothing.

    It holds no image itself and all folders that do; a lone class folder or split folder is no wrapper.
    """
    base = ""
    while True:
        tops = _children(folders, base)
        if len(tops) != 1 or tops[0] in ALL_SPLIT_FOLDERS or any("/" not in i.removeprefix(base) for i in images):
            return base
        below = f"{base}{tops[0]}/"
        if any("/" not in image.removeprefix(below) for image in images):
            return base
        base = below


def _children(folders: Sequence[str], base: str) -> list[str]:
    """The folders directly inside `base`."""
    inside = [folder.removeprefix(base) for folder in folders if folder.startswith(base)]
    return [folder for folder in inside if folder and "/" not in folder]


def _members(tree: ImageTree, images: Sequence[str], folders: Sequence[str], base: str) -> list[Member]:
    """The images below `base` with their class: the folder directly inside it that they lie in."""
    inside = [image for image in images if image.startswith(base)]
    if not inside:
        raise DataError(f"{tree.where(base)} holds no images")
    members = [Member(image, _top(image.removeprefix(base))) for image in inside]
    labels = {member.label for member in members}
    if labels == {""}:
        return members
    loose = next((member.path for member in members if not member.label), None)
    if loose is not None:
        raise DataError(f"{tree.where(loose)} lies beside class folders", "move it into one of them")
    empty = sorted(set(_children(folders, base)) - labels)
    if empty:
        raise DataError(f"class folder {tree.where(base + empty[0])} holds no images", "remove it or fill it")
    return members


def _top(path: str) -> str:
    folder, slash, _ = path.partition("/")
    return folder if slash else ""


# -------------------------------------------------------------------------------------------------
# decoding
# -------------------------------------------------------------------------------------------------


def decoded(tree: ImageTree, paths: Sequence[str]) -> tuple[np.ndarray, dict[str, Any]]:
    """All images, uint8 [N, C, H, W], in the order of `paths`; and notes for the record.

    :raises DataError: a broken image, or one of another size or mode than the first.
    """
    row = {path: n for n, path in enumerate(paths)}
    result: np.ndarray | None = None
    first = ""
    formats: Counter[str] = Counter()
    opaque = 0
    for path, data in tree.read(row):
        image, file_format, has_alpha = decode(data, tree.where(path))
        formats[file_format] += 1
        opaque += has_alpha
        if result is None:
            result, first = np.empty((len(paths), *image.shape), dtype=np.uint8), path
        if image.shape != result.shape[1:]:
            raise _mixed(tree.where(path), image.shape, tree.where(first), result.shape[1:])
        result[row[path]] = image
    assert result is not None  # a layout has at least one image a split
    notes: dict[str, Any] = {"formats": dict(sorted(formats.items()))}
    if opaque:
        notes["alpha"] = f"dropped from {opaque} images, all of it opaque"
    if lossy := sorted(name for name in formats if name in LOSSY):
        notes["lossy"] = f"{' and '.join(lossy)}: not comparable with results on the original pixels"
    return result, notes


class Decoded(NamedTuple):
    """One image file.

    :ivar pixels: uint8 [C, H, W].
    :ivar has_alpha: whether transparency was left out; all of it was opaque.
    """

    pixels: np.ndarray
    file_format: str
    has_alpha: bool


def decode(data: bytes, where: str) -> Decoded:
    """The pixels of an image file.

    :raises DataError: where it is broken, of a mode that does not fit 8-bit grey or RGB, or partly transparent.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            file_format = image.format or "?"
            image.load()
            return Decoded(_channels_first(image, where), file_format, image.has_transparency_data)
    except DataError:
        raise
    except UnidentifiedImageError as error:  # its text is the address of a buffer
        raise DataError(f"{where} is no image, or it is truncated or corrupt", "remove it or make it anew") from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them
        raise DataError(
            f"{where} is no image, or it is truncated or corrupt: {str(error) or type(error).__name__}"
        ) from error


def _channels_first(image: Image.Image, where: str) -> np.ndarray:
    channels = CHANNELS.get(image.mode)
    if channels is None:
        raise DataError(f"{where} has mode {image.mode}", "convert it to 8-bit grey or RGB")
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A").getextrema()
        if alpha != (255, 255):
            raise DataError(f"{where} is partly transparent", "lay it on a background and save it as RGB")
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _mixed(where: str, shape: tuple[int, ...], first: str, expected: tuple[int, ...]) -> DataError:
    if shape[0] != expected[0]:
        colour = {1: "grey", 3: "RGB"}
        problem = f"{where} is {colour[shape[0]]}, but {first} is {colour[expected[0]]}"
        return DataError(problem, "convert all images to one mode")
    problem = f"{where} has {shape[1]}x{shape[2]} pixels, but {first} has {expected[1]}x{expected[2]}"
    return DataError(problem, "make all images one size")
