"""How far files were read: what has grown is read from there, and what has not changed is not read again."""

from collections.abc import Callable, Iterator
from os import fstat
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id

T = TypeVar("T")
EDGE = 4_096  # bytes at both ends by which a file is known again
MOST = 600  # files that are remembered, some 46,000 bytes; others are read again, which does no harm
FOLDER = 200  # files that one folder may hold


class Progress:
    """What is kept of files in a source's `state`: size, time of change, digest, items done, all of them?

    `use` tells apart several uses of the same file: a task, a setting.
    """

    def __init__(self, state: dict[str, Any], use: str = "") -> None:
        self._use = use
        self._files: dict[str, list[Any]] = state.setdefault("files", {})

    def items(self, path: Path, read: Callable[[BinaryIO], Iterator[T]]) -> Iterator[T]:
        """What `read` finds in a file, without what it found the last time.

        An item counts as done when it is handed out; after a crash the old state comes back with all of it.
        """
        with path.open("rb") as file:
            mark, done = self._mark(file), self._done(path, file)
            if done is None:
                return
            for number, item in enumerate(read(file), start=1):
                if number > done:
                    self._note(path, [*mark, number, False])
                    yield item
                done = max(done, number)
            self._note(path, [*mark, done, True])

    def _mark(self, file: BinaryIO) -> list[Any]:
        about = fstat(file.fileno())
        return [about.st_size, about.st_mtime_ns, _digest(file, about.st_size)]

    def _done(self, path: Path, file: BinaryIO) -> int | None:
        """Items that were done before; None when there is nothing new."""
        kept = self._files.get(self._name(path))
        if kept is None:
            return 0
        size, changed, digest, done, whole = kept
        about = fstat(file.fileno())
        if [size, changed] == [about.st_size, about.st_mtime_ns]:
            return None if whole else int(done)
        return int(done) if about.st_size > size and _digest(file, size) == digest else 0

    def _note(self, path: Path, said: list[Any]) -> None:
        self._files.pop(self._name(path), None)
        self._files[self._name(path)] = said
        while len(self._files) > MOST:
            del self._files[next(iter(self._files))]

    def _name(self, path: Path) -> str:
        return content_id(f"{self._use} {path}")[:12]


def files_of(place: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """A file, or the files of these kinds in a folder, by name. Raises SettingsError."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise SettingsError(f"there is no {place}; paths start in the folder of flywheel.yaml")
    found = sorted(p for p in place.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
    if not found:
        raise SettingsError(f"{place} holds no file that ends in {', '.join(suffixes)}")
    if len(found) > FOLDER:
        raise SettingsError(
            f"{place} holds {len(found):,} files; name folders of {FOLDER} at most, one by one"
        )
    return found


def _digest(file: BinaryIO, size: int) -> str:
    """Of both ends of the first `size` bytes."""
    file.seek(0)
    first = file.read(min(EDGE, size))
    file.seek(max(size - EDGE, 0))
    last = file.read(min(EDGE, size))
    file.seek(0)
    return content_id(first + last)[:12]
