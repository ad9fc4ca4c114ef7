"""Files of this machine."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from openflywheel.base.errors import SettingsError
from openflywheel.collect._files.entry import Entry
from openflywheel.collect._files.file import Refused
from openflywheel.collect._files.glob import matches, split


class Folder:
    """A file, a folder with all below it, or what a glob fits.

    Hidden files and folders, symlinks that leave the folder and what is no regular file (a pipe would block
    for ever) are listed as refused. Symlinks to folders are not followed: what they lead to inside is listed
    anyway, and they may form circles.
    """

    def __init__(self, path: str, *, waits: bool = False) -> None:
        there = Path(path).exists()
        root, self._pattern = (path, "") if there else split(path)
        self.root, self._waits = Path(root), waits
        self.single = self.root.is_file()
        self._real = os.path.realpath(self.root)

    def check(self) -> None:
        """Raises SettingsError where nothing is there."""
        if not (self._waits or self.single or self.root.is_dir()):
            raise SettingsError(f"there is no file {str(self.root)!r}")

    def entries(self) -> Iterator[Entry]:
        """Every file, in no order. Raises SettingsError where nothing is there."""
        self.check()
        if self.single:
            yield _entry(self.root.name, self.root.stat())
        elif self.root.is_dir():
            yield from (e for e in self._walk() if not self._pattern or matches(self._pattern, e.name))

    def _walk(self) -> Iterator[Entry]:
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.root / folder) as found:
                    inside = list(found)
            except OSError:
                yield Entry(folder or ".", refused="unreadable folder")
                continue
            for each in inside:
                name = f"{folder}/{each.name}" if folder else each.name
                if each.is_dir(follow_symlinks=False) and not each.name.startswith("."):
                    folders.append(name)
                elif entry := self._one(name, each):
                    yield entry

    def _one(self, name: str, found: "os.DirEntry[str]") -> Entry | None:
        if refused := self._refused(found):
            return Entry(ascii(name) if refused == "name is not UTF-8" else name, refused=refused)
        try:
            return _entry(name, found.stat()) if found.is_file() else None
        except OSError:
            return Entry(name, refused="unreadable file")

    def _refused(self, found: "os.DirEntry[str]") -> str:
        if any("\ud800" <= character <= "\udfff" for character in found.name):
            return "name is not UTF-8"
        if found.name.startswith("."):
            return "hidden file"
        if found.is_symlink() and not self._inside(os.path.realpath(found.path)):
            return "symlink that leaves the folder"
        return "" if found.is_file() or found.is_dir() else "not a regular file"

    def _inside(self, path: str) -> bool:
        return Path(path).is_relative_to(self._real)

    def open(self, entry: Entry) -> IO[bytes]:
        """A file's bytes. Raises Refused when they can't be read (any more)."""
        try:
            return (self.root if self.single else self.root / entry.name).open("rb")
        except OSError as error:
            raise Refused("unreadable file") from error

    def uri(self, name: str) -> str:
        """Its path below the folder, which does not tell how this machine is set up."""
        return name


def _entry(name: str, found: os.stat_result) -> Entry:
    return Entry(name, found.st_size, found.st_mtime_ns)
