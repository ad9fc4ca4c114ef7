"""A model on disk: one folder with a manifest, its files and a card, named by its content.

The manifest names every file with its sha256, and the folder is named by the hash of the manifest, so what is
read is what was written. Only formats that hold data are kept: a pickle is a program, and is never read.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from openflywheel.base.errors import StoreError
from openflywheel.base.ids import content_id, event_id

if TYPE_CHECKING:  # numpy takes .1 s and 25 MB: a gateway's worker reads manifests without it
    from numpy.typing import NDArray

MANIFEST, WEIGHTS, CARD = "manifest.json", "weights.safetensors", "README.md"
SAFE = (".json", ".safetensors", ".onnx", ".gguf", ".txt", ".md", ".jinja", ".model")
NEW, LEFT = ".new-", 86_400  # how what is being written is named, and after how many seconds nobody writes it


def keep(
    folder: Path,
    manifest: Mapping[str, Any],
    tensors: "Mapping[str, NDArray[Any]] | None" = None,
    files: Mapping[str, bytes | Path] | None = None,
) -> Path:
    """Write a model into its own folder under `folder`; the same content is written once.

    `tensors` become `WEIGHTS`; `files` are contents, or files to copy, by their names in the model's folder
    ("adapter/adapter_model.safetensors"). All of it or nothing is there at any time, also after a crash; what
    lies there damaged is replaced.
    Raises StoreError for a file of a format that may hold a program.
    """
    for name in files or {}:
        _check_name(name)
    with aside(folder) as beside:
        contents: dict[str, bytes | Path] = dict(files or {})
        if tensors is not None:
            contents[WEIGHTS] = _saved(tensors)
        contents.setdefault(CARD, card(manifest).encode())
        for name, content in contents.items():
            _write(beside / name, content)
        digests = {name: _sha256(beside / name) for name in contents}
        text = json.dumps({**manifest, "files": digests}, sort_keys=True, indent=1)
        _write(beside / MANIFEST, text.encode())
        return _put(beside, folder / content_id(text))


def tidy(folder: Path) -> None:
    """Remove what was being written there a day ago: a crash has left it."""
    for place in folder.glob(f"{NEW}*"):
        with suppress(FileNotFoundError):  # an import has just been finished
            if place.stat().st_mtime < time.time() - LEFT:
                shutil.rmtree(place)


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A new folder in another one, with the same rights as those beside it; it is gone after the block."""
    beside = folder / f"{NEW}{event_id()}"
    beside.mkdir()
    try:
        yield beside
    finally:
        if beside.exists():
            shutil.rmtree(beside)


def _saved(tensors: "Mapping[str, NDArray[Any]]") -> bytes:
    import numpy as np  # noqa: PLC0415
    from safetensors.numpy import save  # noqa: PLC0415

    return save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})


def moved(place: Path, folder: Path) -> Path:
    """Move a model among those of `folder`, on the same disk; returns its place there."""
    return _put(place, folder / place.name)


def _put(beside: Path, place: Path) -> Path:
    """Give a model its place, unless it is there already and whole."""
    _remove_damaged(place)
    _named(beside, place)
    return place


def _remove_damaged(place: Path) -> None:
    try:
        if place.exists():
            manifest(place)
    except StoreError:
        with aside(place.parent) as damaged:
            place.rename(damaged / place.name)


def _named(beside: Path, place: Path) -> None:
    for folder in (beside, *(path for path in beside.rglob("*") if path.is_dir())):
        _sync(folder)
    try:
        beside.rename(place)
    except OSError:
        if not place.exists():  # else it was there, or somebody has just written the same content
            raise
    _sync(place.parent)


def _sync(folder: Path) -> None:
    """What was renamed or made in a folder is there after a crash of the machine, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if path.suffix not in SAFE:
        raise StoreError(
            f"a model may not hold {name!r}: only {', '.join(SAFE)} are kept, for others may hold a program;"
            " write weights as safetensors"
        )
    if path.is_absolute() or ".." in path.parts:
        raise StoreError(f"a model may not hold {name!r}: its files lie in its own folder")


def _write(path: Path, content: bytes | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(place: Path) -> dict[str, Any]:
    """What a model says of itself, once all of its files are checked.

    Raises StoreError when a file is missing, was changed, or is of a format that may hold a program.
    """
    text = _text(place)
    if content_id(text) != place.name:
        raise StoreError(f"the model in {place} was changed on disk: {MANIFEST} is another one")
    return _checked(place, text)


def copied(place: Path, to: Path) -> None:
    """Copy a model's folder, all of it or nothing.

    Raises StoreError as `manifest` does, and where there is no folder to make it in.
    """
    said = manifest(place)
    if not to.parent.is_dir():
        raise StoreError(f"there is no folder {to.parent} for the copy; make it with: mkdir -p {to.parent}")
    _copy(place, to, said)


def taken(source: Path, folder: Path) -> tuple[dict[str, Any], Path]:
    """Take a folder that `copied` made, whatever its name is now, among the models of `folder`.

    Returns its manifest and its place there. Raises StoreError when it is no model, when a file is missing or
    was changed, and for any file beside those of the manifest: it may be a program.
    """
    text = _text(source)
    said = _checked(source, text)
    inside = {path.relative_to(source).as_posix() for path in source.rglob("*") if not path.is_dir()}
    if beside := sorted(inside - {MANIFEST, *said["files"]}):
        raise StoreError(f"the model in {source} holds {beside[0]!r}, which its manifest does not name")
    place = folder / content_id(text)
    _remove_damaged(place)
    if not place.exists():
        _copy(source, place, said)
    return said, place


def _copy(source: Path, to: Path, said: Mapping[str, Any]) -> None:
    with aside(to.parent) as beside:
        for name in (MANIFEST, *said["files"]):
            _write(beside / name, source / name)
        _named(beside, to)


def _text(place: Path) -> bytes:
    if not (place / MANIFEST).is_file():
        raise StoreError(f"there is no model in {place}: {MANIFEST} is expected")
    return (place / MANIFEST).read_bytes()


def _checked(place: Path, text: bytes) -> dict[str, Any]:
    """The manifest, once the files that it names are found to be what it says."""
    try:
        said: dict[str, Any] = json.loads(text)
        files: dict[str, str] = dict(said["files"])
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"the model in {place} was changed on disk: {MANIFEST} names no files") from error
    for name, digest in files.items():
        _check_name(name)
        if not (place / name).is_file() or _sha256(place / name) != digest:
            raise StoreError(f"the model in {place} was changed on disk: {name} is missing or another one")
    return said


def read(place: Path) -> "tuple[dict[str, Any], dict[str, NDArray[Any]]]":
    """Manifest and tensors of a model. Raises StoreError when something is missing or was changed."""
    from safetensors.numpy import load_file  # noqa: PLC0415

    said = manifest(place)
    return said, load_file(place / WEIGHTS) if WEIGHTS in said["files"] else {}


def card(said: Mapping[str, Any]) -> str:
    """The model card, in Markdown: what it is, what it was taught with, how well it did."""
    facts = {name: said[name] for name in ("task", "kind", "method", "form", "base") if said.get(name)}
    lines = [f"# {said.get('task', 'A model')}", "", *(f"- {name}: {_shown(v)}" for name, v in facts.items())]
    if taught := said.get("taught_by"):
        lines += ["", "Taught by the datasets:", *(f"- {name}" for name in taught)]
    if report := said.get("report"):
        lines += ["", "| figure | value |", "|---|---|", *(f"| {k} | {v:.4g} |" for k, v in report.items())]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
