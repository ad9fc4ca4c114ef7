"""A process that is killed while it waits for what it paid for; the next one takes it, and pays nothing."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openflywheel.base.nouns import Gap, Record
from openflywheel.base.settings import Budget
from openflywheel.collect._fake.server import Running
from openflywheel.collect._web.web import Web
from openflywheel.collect.marketplace import marketplace

BUYS = """
import sys
from pathlib import Path
from openflywheel.base.nouns import Gap
from openflywheel.base.settings import Budget, WebSettings
from openflywheel.collect._web.web import Web
from openflywheel.collect.marketplace import marketplace

list(marketplace(
    Gap(topic="t", why="w", task="mood"), dataset="gd_fake_news", key="bd-test", url=sys.argv[1],
    text="content", wait=300.0, web=Web(WebSettings(allow=("127.0.0.1",))), workspace=Path(sys.argv[2]),
    state={}, subject=str, budget=Budget(dollars=1.0),
))
"""


@pytest.mark.fault
def test_a_killed_purchase_is_taken_by_the_next_process(far: Running, web: Web, tmp_path: Path) -> None:
    far.script({"looks": 1_000_000})
    process = subprocess.Popen([sys.executable, "-c", BUYS, far.url, str(tmp_path)])
    deadline = time.monotonic() + 60
    while not any(path.startswith("GET /datasets/snapshots/") for path in far.paths()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    [job] = far.desk.memory["jobs"].values()
    job.looks = job.seen
    found = list(
        marketplace(
            Gap(topic="t", why="w", task="mood"),
            dataset="gd_fake_news",
            key="bd-test",
            url=far.url,
            text="content",
            web=web,
            workspace=tmp_path,
            state={},
            subject=str,
            budget=Budget(),  # nothing could be bought any more
        )
    )
    assert sum(isinstance(thing, Record) for thing in found) == 4
    assert far.paths("/datasets/filter") == ["POST /datasets/filter"]
