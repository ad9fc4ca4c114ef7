"""The safety benchmark: its far side is as hostile as it says, and its rows mean what they say."""

import json
import socket
import sys
import zlib
from contextlib import nullcontext
from http.client import HTTPConnection
from mmap import mmap
from urllib.parse import quote, urlsplit

import pytest

from benchmarks import hostile, safety
from openflywheel.base.settings import WebSettings
from openflywheel.collect._web.web import Web


@pytest.fixture(scope="module")
def far_side():
    with hostile.hostile() as url:
        yield url


@pytest.fixture
def web(far_side):
    client = Web(WebSettings(allow=(urlsplit(far_side).netloc,)), resolve=safety.Names())
    yield client
    client.close()


def asked(url: str, path: str, host: str = "x") -> tuple[int, str, bytes]:
    """What a client without any guard gets: status, location, the first megabyte."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", path, headers={"host": host})
    response = connection.getresponse()
    got = response.status, response.getheader("location", ""), response.read(1_000_000)
    connection.close()
    return got


def test_the_bomb_is_one():
    packed = hostile.bomb()
    assert 500_000 < len(packed) < 700_000
    unpacking = zlib.decompressobj(31)
    assert len(unpacking.decompress(packed[:10_000])) > 5_000_000
    assert int.from_bytes(packed[-4:], "little") == 600_000_000  # a gzip file ends with its size


def test_a_client_without_a_guard_would_get_all_of_it(far_side):
    assert asked(far_side, "/bomb")[2] == hostile.bomb()[:1_000_000]
    assert asked(far_side, "/body")[2] == asked(far_side, "/chunks")[2] == bytes(1_000_000)
    assert asked(far_side, "/redirect/999999")[:2] == (302, "/redirect/1000000")
    assert asked(far_side, "/redirect/1000000")[0] == 200
    assert asked(far_side, f"/to/{quote('http://127.1/?a=b', safe='')}")[:2] == (302, "http://127.1/?a=b")


def test_a_head_without_an_end_never_ends(far_side):
    with socket.create_connection(("127.0.0.1", urlsplit(far_side).port)) as connection:
        connection.sendall(b"GET /head HTTP/1.1\r\nhost: x\r\n\r\n")
        size = sum(len(connection.recv(100_000)) for _ in range(100))
    assert size > 100_000


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/bomb", "too large"),
        ("/body", "too large"),
        ("/chunks", "too large"),
        ("/redirect/1", "too many redirects"),
        ("/head", "bad reply"),
        ("/trailers", "bad reply"),
        ("/hello", ""),
    ],
)
def test_each_attack_is_refused_for_its_own_reason(far_side, web, path, reason):
    assert safety.reason(web, far_side + path) == reason
    assert path in {*safety.ATTACKS, "/hello"}


def test_the_corpus_is_refused_whole(far_side):
    count, of = safety.refused(far_side)
    assert (count, of >= 60) == (of, True)
    led, away = safety.refused(far_side, redirected=True)
    assert (led, away > of - 10) == (away, True)


def test_requests_that_reach_the_far_side_under_the_name_that_rebinds_are_counted(far_side):
    before = int(asked(far_side, "/rebound")[2])
    assert asked(far_side, "/hello", host=hostile.REBINDS)[2] == b"hello"
    assert int(asked(far_side, "/rebound")[2]) == before + 1


def test_an_attack_is_measured_in_a_fresh_process(far_side):
    attacked = safety.fresh(safety.attack, far_side, "/body")
    assert attacked.reason == "too large"
    assert 0 <= attacked.grown < safety.MOST_MB


def test_memory_is_read_in_megabytes():
    now = safety.resident("VmRSS")
    with mmap(-1, 30_000_000) as ballast:  # pages of its own: memory that was freed would be used again
        for page in range(0, len(ballast), 4096):
            ballast[page] = 1
        assert safety.resident("VmRSS") - now > 20
    assert safety.resident("VmHWM") - now > 20


@pytest.mark.parametrize(
    ("reason", "grown", "holds"),
    [("too large", 3.0, True), ("too large", 20.1, False), ("", 3.0, False)],
    ids=["refused", "dear", "not refused"],
)
def test_a_row_holds_when_the_attack_was_refused_and_cheap(reason, grown, holds):
    row = safety.cost("bomb", safety.Attacked(reason, grown))
    assert (row.holds, row.value, row.bar) == (holds, grown, "refused, <= 20")
    assert row.row == f"bomb: {reason or 'NOT REFUSED'}"


@pytest.mark.slow
def test_all_bars_hold(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["safety", "--json"])
    with pytest.raises(SystemExit) as left:
        safety.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["row"] for row in said["rows"] if not row["holds"]] == []
    assert len(said["rows"]) == len(safety.ATTACKS) + 3
    assert left.value.code == 0


def test_it_exits_with_1_when_a_bar_is_missed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["safety"])
    missed = [safety.cost("bomb", safety.Attacked("", 0.0))]
    monkeypatch.setattr(safety, "measure", lambda url: missed)
    monkeypatch.setattr(safety, "hostile", lambda: nullcontext("http://127.0.0.1:9"))
    with pytest.raises(SystemExit) as left:
        safety.main()
    assert left.value.code == 1
    assert "NOT REFUSED" in capsys.readouterr().out
