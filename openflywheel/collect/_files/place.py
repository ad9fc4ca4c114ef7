"""Where files lie: a file, a folder or a glob on this machine, or a prefix of object storage."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from openflywheel.collect._files.entry import Entry
from openflywheel.collect._files.local import Folder


class Place(Protocol):
    """A listing, and what it lists."""

    @property
    def single(self) -> bool:
        """Is it one file that the user named?"""
        ...

    def check(self) -> None:
        """Raises SettingsError where nothing is there, SourceFailed where nobody answers."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Every file, in no order. Raises SettingsError where nothing is there, SourceFailed."""
        ...

    def open(self, entry: Entry) -> IO[bytes]:
        """A file's bytes, seekable. Raises Refused when it can't be read (any more), SourceFailed."""
        ...

    def uri(self, name: str) -> str:
        """What a Record says about where it comes from."""
        ...


def place(path: str, folder: Path, *, waits: bool = False) -> Place:
    """The place that a path or URL names; a relative path starts in `folder`. Raises SettingsError.

    With `waits`, nothing being there yet is no error.
    """
    if "://" not in path:
        return Folder(str(folder / path), waits=waits)
    # Not at the top: pyarrow.fs takes 30 MB that nobody needs for files of this machine.
    from openflywheel.collect._files.cloud import Bucket  # noqa: PLC0415

    return Bucket(path, waits=waits)
