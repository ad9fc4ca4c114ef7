"""The engine's files. What stands under its final name is finished: it was renamed when it was whole.

This holds when a process is killed. After a power cut, delete the work folder; a state is written through to
the disk before its manifest names it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PART = ".part-"


@contextmanager
def finished(target: Path) -> Iterator[Path]:
    """A new path beside `target`, for a file or a folder, that takes its name when the block ends well.

    A job that was done twice (its worker was thought dead) leaves the first one's work.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{PART}{uuid4().hex}-{target.name}")
    try:
        yield part
        if not target.is_dir():
            part.rename(target)
    finally:
        discard(part)


def discard(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def save(path: Path, array: NDArray[Any]) -> None:
    """An array as a file of NumPy's format, under its final name when it is whole."""
    with finished(path) as part, part.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def load(path: Path) -> NDArray[Any]:
    """An array, memory-mapped: only what is looked at is read."""
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def write(path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema, codec: str | None) -> None:
    """Batches of one schema as an Arrow IPC file; without a codec it can be memory-mapped."""
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)


def opened(path: Path, columns: Sequence[str] | None = None) -> pa.ipc.RecordBatchFileReader:
    """An Arrow IPC file, memory-mapped; of some of its columns alone if they are named."""
    file = pa.memory_map(str(path))
    reader = pa.ipc.open_file(file)
    if columns is None:
        return reader
    fields = [reader.schema.get_field_index(name) for name in columns]
    return pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=fields))


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of an Arrow IPC file, one after another."""
    reader = opened(path)
    for number in range(reader.num_record_batches):
        yield reader.get_batch(number)


def to_disk(path: Path) -> None:
    """Write a file through to the disk, or a folder with the files in it."""
    inside = [inner for inner in path.iterdir() if inner.is_file()] if path.is_dir() else []
    for each in [*inside, path]:
        file = os.open(each, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


@contextmanager
def locked(path: Path, refusal: Exception) -> Iterator[None]:
    """Hold a lock that ends with this process; raises `refusal` when another run holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal from None
        yield
