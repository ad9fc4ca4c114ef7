"""Who is the last to use a model?"""

import subprocess
import sys
from pathlib import Path
from threading import Thread

from openflywheel.serve._generators.share import Share

OTHER = """
import sys
from pathlib import Path
from openflywheel.serve._generators.share import Share
share = Share(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_alone_one_is_the_last(tmp_path: Path):
    share = Share(tmp_path / "locks" / "m1")
    assert share.last()
    share.close()


def test_of_two_only_the_second_is(tmp_path: Path):
    first, second = Share(tmp_path / "m1"), Share(tmp_path / "m1")
    assert not first.last()
    assert second.last()  # the first let go when it asked
    first.close()
    second.close()


def test_models_are_apart(tmp_path: Path):
    one, other = Share(tmp_path / "m1"), Share(tmp_path / "m2")
    assert one.last()
    assert other.last()
    one.close()
    other.close()


def test_a_process_that_dies_lets_go(tmp_path: Path):
    command = [sys.executable, "-c", OTHER, str(tmp_path / "m1")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        share = Share(tmp_path / "m1")
        assert not share.last()
        share.close()
        process.kill()
        process.wait()
    share = Share(tmp_path / "m1")
    assert share.last()
    share.close()


def test_who_comes_waits_until_it_is_unloaded(tmp_path: Path):
    last, come = Share(tmp_path / "m1"), []
    assert last.last()
    thread = Thread(target=lambda: come.append(Share(tmp_path / "m1")))
    thread.start()
    thread.join(0.2)
    assert not come
    last.close()
    thread.join(10)
    come.pop().close()


def test_files_are_closed(tmp_path: Path):
    open_files = Path("/proc/self/fd")
    before = {file.name for file in open_files.iterdir()}
    Share(tmp_path / "m1").close()
    assert {file.name for file in open_files.iterdir()} == before
