"""A disk that fills up: requests are refused before anything is lost, and taken when there is room again."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

ASK = {"model": "up/small", "messages": [{"role": "user", "content": "hello"}]}
MEGABYTE = 1_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB; skips where nobody may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a tmpfs can only be mounted by root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(path: Path, leave: int) -> None:
    """Take all the room but some bytes."""
    disk = os.statvfs(path.parent)
    with path.open("wb") as file:
        file.write(b"\0" * max(disk.f_bavail * disk.f_frsize - leave, 0))


@pytest.mark.slow
@pytest.mark.fault
def test_the_disk_is_full(serving, small_disk, until):
    gate = serving(folder=small_disk)
    http, told = gate.http(), []
    _fill(small_disk / "ballast", leave=2 * MEGABYTE)
    big = {**ASK, "messages": [{"role": "user", "content": "x" * 100_000}]}
    statuses = []
    while len(statuses) < 200 and (not statuses or statuses[-1] == 200):
        answer = http.post("/v1/chat/completions", json=big)
        statuses.append(answer.status_code)
        if answer.is_success:
            told.append(answer.headers["x-flywheel-exchange"])
    assert told
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "store_unavailable"
    assert answer.headers["retry-after"] == "1"
    said = http.post("/v1/messages", json={**big, "model": "claude/big", "max_tokens": 9})
    assert (said.status_code, said.json()["type"]) == (503, "error")
    streamed = http.post("/v1/chat/completions", json={**big, "stream": True})
    assert (streamed.status_code, streamed.json()["error"]["code"]) == (503, "store_unavailable")
    (small_disk / "ballast").unlink()
    until(lambda: http.post("/v1/chat/completions", json=ASK).status_code == 200)
    kept = {exchange.id for exchange in gate.exchanges()}
    assert not [id for id in told if id not in kept]
    assert gate.stop() == 0


@pytest.mark.slow
@pytest.mark.fault
def test_too_little_room_is_noticed_before_it_is_none(serving, small_disk, until):
    gate = serving(folder=small_disk, serve={"gateway": {"spare_disk": 4 * MEGABYTE}})
    http = gate.http()
    assert http.post("/v1/chat/completions", json=ASK).status_code == 200
    _fill(small_disk / "ballast", leave=2 * MEGABYTE)
    until(lambda: http.get("/readyz").status_code == 503)  # it looks once a second
    answer = until(lambda: _refusal(http))
    assert "bytes of disk are left" in answer.json()["error"]["message"]
    (small_disk / "ballast").unlink()
    until(lambda: http.post("/v1/chat/completions", json=ASK).status_code == 200)


def _refusal(http: httpx2.Client) -> httpx2.Response | None:
    answer = http.post("/v1/chat/completions", json=ASK)
    return answer if answer.status_code == 503 else None
