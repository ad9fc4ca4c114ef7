"""What stands under its final name is finished."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from openflywheel.base.errors import WheelBusy
from openflywheel.curate._engine import files


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    with files.finished(tmp_path / "deep" / "a") as part:
        part.write_text("half")
        assert not (tmp_path / "deep" / "a").exists()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a"]


def test_what_fails_leaves_nothing(tmp_path):
    for make in (Path.mkdir, Path.touch):
        with pytest.raises(ZeroDivisionError), files.finished(tmp_path / "a") as part:
            make(part)
            raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_of_two_that_do_the_same_folder_the_first_stays(tmp_path):
    with files.finished(tmp_path / "a") as slow:
        slow.mkdir()
        (slow / "who").write_text("slow")
        with files.finished(tmp_path / "a") as fast:
            fast.mkdir()
            (fast / "who").write_text("fast")
    assert (tmp_path / "a" / "who").read_text() == "fast"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("shape", [(3, 0), (2, 5)])
def test_arrays_are_as_they_were(tmp_path, shape):
    array = np.arange(shape[0] * shape[1], dtype=np.uint64).reshape(shape)
    files.save(tmp_path / "a.npy", array)
    assert np.array_equal(files.load(tmp_path / "a.npy"), array)


@pytest.mark.parametrize("codec", [None, "lz4"])
def test_tables_are_as_they_were(tmp_path, codec):
    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    files.write(tmp_path / "t", table.to_batches(max_chunksize=2), table.schema, codec)
    assert files.opened(tmp_path / "t").read_all() == table
    assert files.opened(tmp_path / "t", ["b"]).read_all() == table.select(["b"])
    assert [b.num_rows for b in files.batches(tmp_path / "t")] == [2, 1]


def test_an_uncompressed_table_takes_no_memory(tmp_path):
    table = pa.table({"a": np.arange(100_000)})
    files.write(tmp_path / "t", table.to_batches(), table.schema, None)
    before = pa.total_allocated_bytes()
    held = files.opened(tmp_path / "t").read_all()
    assert pa.total_allocated_bytes() - before < 10_000
    assert held["a"][99_999].as_py() == 99_999


def test_a_lock_is_held_by_one(tmp_path):
    with (
        files.locked(tmp_path / "x" / "lock", WheelBusy("taken")),
        pytest.raises(WheelBusy, match="taken"),
        files.locked(tmp_path / "x" / "lock", WheelBusy("taken")),
    ):
        pass
    with files.locked(tmp_path / "x" / "lock", WheelBusy("taken")):
        pass


def test_what_is_not_there_is_discarded_all_the_same(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    for name in ("folder", "folder", "nothing"):
        files.discard(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_files_and_folders_are_written_through(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("c")
    files.to_disk(tmp_path / "a")
    files.to_disk(tmp_path / "a" / "b")
    with pytest.raises(FileNotFoundError):
        files.to_disk(tmp_path / "nothing")
