"""The benchmark of the gateway, in small: it counts exactly, it finds what is lost, and it compares in pairs.

Most tests stand on a toy gateway, a real process that answers, streams and logs; some need nginx.
"""

import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.gateway import __main__ as bench
from benchmarks.gateway import asking, cpu, label, latency, load, loss, memory, streams
from benchmarks.gateway import upstream as behind
from benchmarks.gateway.load import Answer, Load
from benchmarks.gateway.peers import PEERS, flywheel, peer
from benchmarks.gateway.running import Bench, running
from benchmarks.gateway.spread import not_run, spread
from benchmarks.gateway.tree import Tree, free_port
from benchmarks.gateway.upstream import Upstream
from openflywheel.base.nouns import Exchange
from openflywheel.base.settings import parse
from openflywheel.store import Store

NGINX = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
PATH = "/v1/chat/completions"

TOY = """
import asyncio, sys

async def answer(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            body = await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split(b"\\r\\n")[0]))
            marker = body[body.index(b"q ") - 10:][:11]
            if sys.argv[2] == "before":
                keep(marker)
            status = b"500" if sys.argv[2] == "broken" else b"200"
            kind = b"data: [DONE]\\n\\n" if b'"stream": true' in body else b"{}"
            writer.write(b"HTTP/1.1 %s OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % (status, len(kind)) + kind)
            await writer.drain()
            if sys.argv[2] == "after":
                asyncio.get_running_loop().call_later(0.2, keep, marker)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

def keep(marker):
    with open("log", "ab", buffering=0) as log:
        log.write(marker + b"\\n")

async def main():
    async with await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()

asyncio.run(main())
"""


def toy(name, log="before"):
    """A peer that answers from a process of its own, and keeps markers before or after the answer."""

    def command(folder, _upstream, port):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "toy.py").write_text(TOY)
        return [sys.executable, "toy.py", str(port), log]

    return SimpleNamespace(
        __name__=name, NAME=name, LOG=log, PATH=PATH, MODEL="gpt-x", INSTALL="", command=command,
        installed=lambda: "1", headers=lambda _: {}, kept=lambda folder: asking.marked(folder / "log"),
    )  # fmt: skip


@contextmanager
def serving(*replies):
    """A port; each connection gets a reply a request, and is closed after the last."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            for reply in replies:
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                self.rfile.read1()
                self.wfile.write(reply)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def requests():
    return asking.chats(PATH, "gpt-x", {})


def whole(body, more=""):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}".encode()


def eventually(holds):
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def ended(process):
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or ") Z " in stat.read_text()


@pytest.fixture
def small(tmp_path):
    return Bench(Upstream(1, 2), tmp_path, [toy("ours"), toy("theirs")], rounds=3, requests=400)


class TestAsking:
    @pytest.mark.parametrize("stream", [False, True])
    def test_every_request_has_1700_bytes_and_a_marker_of_its_own(self, stream):
        markers = set()
        for request in islice(asking.chats(PATH, "up/gpt-x", {"x-more": "1"}, stream=stream), 20):
            head, _, body = request.wire.decode().partition("\r\n\r\n")
            said = json.loads(body)
            assert len(body) == asking.SIZE == int(head.partition("Content-Length: ")[2].split("\r\n")[0])
            assert (said["model"], said.get("stream", False)) == ("up/gpt-x", stream)
            assert asking.MARKER.findall(body) == [request.marker]
            assert head.startswith(f"POST {PATH} HTTP/1.1\r\n")
            assert "x-more: 1" in head
            markers.add(request.marker)
        assert len(markers) == 20

    def test_markers_go_on_over_several_loads(self):
        assert next(requests()).marker < next(requests()).marker

    def test_a_question_holds_its_text(self):
        [one, two] = asking.questions(PATH, "flywheel/route", iter(["where is it?", 'a "lamp" is broken']))
        texts = [json.loads(r.wire.partition(b"\r\n\r\n")[2])["messages"][-1]["content"] for r in (one, two)]
        assert texts == ["where is it?", 'a "lamp" is broken']

    def test_markers_are_found_in_a_log(self, tmp_path):
        log = tmp_path / "log"
        assert asking.marked(log) == set()
        log.write_bytes(b'{"request": "m000000007q text"}\n\xff broken m12q {"m000000008q"}')
        assert asking.marked(log) == {"m000000007q", "m000000008q"}


class TestLoad:
    @pytest.mark.parametrize(
        ("heard", "complete"),
        [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", True),
            (b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\n{", False),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", False),
            (b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", True),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", False),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
            (b"HTTP/1.1 200 OK\r\n\r\nContent-Length: 2\r\n", False),
            (b"", False),
        ],
    )
    def test_it_knows_when_an_answer_is_complete(self, heard, complete):
        assert load.complete(heard) is complete

    def test_a_count_is_exact_and_the_exchange_is_remembered(self):
        with serving(*[whole("{}", "X-Flywheel-Exchange: e-1\r\n")] * 50) as port:
            answers = Load(port, requests()).closed(4, count=37)
        assert len({a.marker for a in answers}) == 37
        assert {(a.status, a.exchange, a.streamed) for a in answers} == {(200, "e-1", False)}
        assert min(a.seconds for a in answers) > 0

    def test_seconds_end_a_run_and_what_is_in_flight_is_waited_for(self):
        with serving(*[whole("{}")] * 100_000) as port:
            ended = Load(port, requests())
            assert len(ended.closed(2, seconds=0.1)) > 2
        assert ended.broken == 0

    def test_an_open_loop_sends_at_its_rate(self):
        with serving(*[whole("{}")] * 50) as port:
            assert len(Load(port, requests()).open(200, seconds=0.1)) == 20

    def test_a_connection_that_breaks_is_counted_and_not_asked_again(self):
        with serving(whole("{}"), whole("{}"), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{") as port:
            cut = Load(port, requests())
            assert len(cut.closed(3)) == 6
        assert cut.broken == 3

    def test_a_stream_is_acknowledged_once_it_said_done_whatever_follows(self):
        head = b"HTTP/1.1 200 OK\r\nx-flywheel-exchange: e-2\r\nTransfer-Encoding: chunked\r\n\r\n"
        with serving(head + b"e\r\ndata: [DONE]\n\n") as port:
            cut = Load(port, requests())
            [answer] = cut.closed(1)
        assert (answer.exchange, answer.streamed, cut.broken) == ("e-2", True, 0)
        with serving(head + b"9\r\ndata: {}\n") as port:
            cut = Load(port, requests())
            assert (cut.closed(1), cut.broken) == ([], 1)

    def test_a_gateway_may_end_a_connection_politely(self):
        with serving(whole("{}", "Connection: close\r\n")) as port:
            polite = Load(port, requests())
            assert len(polite.closed(2, count=9)) == 9
        assert polite.broken == 0

    def test_a_gateway_that_goes_away_breaks_a_run_and_ends_it(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            going = Load(server.getsockname()[1], requests())
            thread = threading.Thread(target=self.answer_once, args=(server,))
            thread.start()
            assert len(going.closed(1)) == 1
            thread.join()
        assert going.broken == 1

    @staticmethod
    def answer_once(server):
        client, _ = server.accept()
        server.close()
        with client:
            client.recv(65_536)
            client.sendall(whole("{}", "Connection: close\r\n"))

    def test_idle_connections_that_are_closed_are_no_failure(self):
        with serving(whole("{}"), whole("{}")) as port:
            slow = Load(port, requests())
            assert len(slow.open(20, seconds=0.5)) == 10
        assert slow.broken == 0

    def test_silence_is_an_error(self, monkeypatch):
        monkeypatch.setattr(load, "PATIENCE", 0.1)
        with serving(b"HTTP/1.1 200 OK\r\n", b"") as port:
            silent = Load(port, requests())
            with pytest.raises(TimeoutError, match="2 requests were not answered"):
                silent.closed(2)
            for connection in [key.data for key in list(silent._selector.get_map().values())]:
                silent._close(connection)
            silent._selector.close()


class TestTree:
    BURN = "import time\nwhile time.process_time() < 0.3: pass\n"

    def test_children_that_were_reaped_count(self, tmp_path):
        code = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {self.BURN!r}])\n"
        done = "open('done', 'w').close(); time.sleep(60)"
        with Tree([sys.executable, "-c", code + done], tmp_path) as tree:
            eventually((tmp_path / "done").exists)
            assert tree.cpu() > 0.25  # a tick of 10 ms may be missing in each count
            assert tree.running

    def test_children_whose_parent_is_gone_count_and_are_stopped(self, tmp_path):
        orphan = self.BURN + "import os, time; open('done', 'w').write(str(os.getpid())); time.sleep(60)"
        code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {orphan!r}])"
        with Tree([sys.executable, "-c", code], tmp_path) as tree:
            eventually(lambda: (tmp_path / "done").exists() and (tmp_path / "done").read_text())
            eventually(lambda: not tree.running)
            assert tree.cpu() > 0.25  # a tick of 10 ms may be missing in each count
            [left] = tree.processes()
            assert left == int((tmp_path / "done").read_text())
        eventually(lambda: ended(left))

    def test_a_worker_is_who_holds_a_connection(self, tmp_path):
        code = (
            "import os, socket, time\n"
            "s = socket.create_server(('127.0.0.1', int(__import__('sys').argv[1])))\n"
            "if os.fork():\n    time.sleep(60)\n"
            "c = s.accept()\ntime.sleep(60)\n"
        )
        port = free_port()
        with Tree([sys.executable, "-c", code, str(port)], tmp_path) as tree:
            eventually(lambda: len(tree.processes()) == 2)
            assert tree.workers(port) == []
            [_, child] = tree.processes()
            with socket.create_connection(("127.0.0.1", port)):
                eventually(lambda: tree.workers(port))
                assert tree.workers(port) == [child]
                assert tree.workers(free_port()) == []

    def test_memory_is_that_of_the_largest_process_and_its_peak_stays(self, tmp_path):
        code = "import time; x = bytearray(60_000_000); del x; open('done', 'w').close(); time.sleep(60)"
        with Tree([sys.executable, "-c", code], tmp_path) as tree:
            eventually((tmp_path / "done").exists)
            now, peak = tree.memory(tree.processes())
            assert 1 < now < 50 < peak

    def test_one_process_can_be_killed_and_the_first_is_named_first(self, tmp_path):
        code = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
        with Tree([sys.executable, "-c", code], tmp_path) as tree:
            eventually(lambda: len(tree.processes()) == 2)
            first, child = tree.processes()
            tree.kill([child])
            eventually(lambda: ended(child))
            assert tree.running
            tree.kill()
            eventually(lambda: not tree.running)
        assert ended(first)

    def test_what_does_not_listen_is_told_with_what_it_printed(self, tmp_path):
        with (
            Tree([sys.executable, "-c", "print('no such option')"], tmp_path) as tree,
            pytest.raises(ChildProcessError, match="no such option"),
        ):
            tree.wait(free_port())


class TestSpread:
    def test_a_row_is_the_median_from_the_lowest_to_the_highest(self):
        row = spread("x", [3.0, 1.0, 9.0], "ms")
        assert (row.value, row.interval, row.bar, row.holds) == (3.0, (1.0, 9.0), None, None)
        assert spread("x", [3.0, 1.0, 9.0], "ms", 3).holds is True
        assert spread("x", [3.0, 1.0, 9.0], "ms", 2.9).holds is False

    def test_what_was_not_run_keeps_its_bar_and_neither_holds_nor_fails(self):
        row = not_run("x", "skipped", "x", 1.3)
        assert (row.row, row.value, row.bar, row.holds) == ("x (skipped)", None, "<= 1.3", None)


class TestCpu:
    def test_ratios_are_of_the_same_round(self):
        nginx = peer("nginx").NAME
        ours, theirs = (1.0, 4.0, 10.0), (1.0, 2.0, 1.0)  # the ratio of the medians would be 4
        bursts = [cpu.Burst("ours", c, v) for c in cpu.CONCURRENCY for v in ours]
        bursts += [cpu.Burst(nginx, c, v) for c in cpu.CONCURRENCY for v in theirs]
        rows = {row.row: row for row in cpu.ratios(bursts, ["ours", nginx])}
        row = rows[f"CPU per request against {nginx}, concurrency 8"]
        assert (row.value, row.interval, row.bar, row.holds) == (2.0, (1.0, 10.0), "<= 13", True)

    def test_a_peer_with_a_bar_that_did_not_run_is_named_as_skipped(self):
        rows = cpu.ratios([], ["ours"])
        assert sorted(row.bar for row in rows) == sorted(["<= 0.025", "<= 1.3", "<= 13"] * 2)
        assert all("(skipped)" in row.row and row.holds is None for row in rows)

    def test_every_gateway_runs_in_every_round(self, small, monkeypatch):
        monkeypatch.setattr(cpu, "SECONDS", 0.1)
        monkeypatch.setattr(cpu, "WARM", 0.05)
        monkeypatch.setattr("benchmarks.gateway.running.SETTLE", 0)
        rows, bursts = cpu.measure(small)
        order = [(b.gateway, b.concurrency) for b in bursts]
        assert order == [("ours", 8), ("theirs", 8), ("ours", 64), ("theirs", 64)] * small.rounds
        assert 0 < sum(b.cpu_ms for b in bursts) / len(bursts) < 50
        measured = [row.row for row in rows if row.value is not None]
        assert "CPU per request, theirs, concurrency 64" in measured
        assert [r for r in measured if r.startswith("RSS")] == [
            f"RSS of {what}, {name}"
            for name in ("ours", "theirs")
            for what in ("a worker", "a worker at its peak", "all processes")
        ]

    def test_a_failing_gateway_is_an_error(self, tmp_path, monkeypatch):
        monkeypatch.setattr("benchmarks.gateway.running.READY_WITHIN", 0.1)
        with (
            pytest.raises(RuntimeError, match="ours: 1 requests failed"),
            running(toy("ours", "broken"), Upstream(1, 2), tmp_path),
        ):
            pass


class TestLatency:
    def test_it_is_what_is_added_to_the_bare_upstream(self, small, monkeypatch):
        monkeypatch.setattr(latency, "SECONDS", 0.1)
        monkeypatch.setattr(latency, "WARM", 10)
        with running(toy("bare"), small.upstream, small.folder / "bare") as bare:
            beside = Bench(Upstream(bare.port, 2), small.folder, small.peers[:1], 2, 0)
            rows = latency.measure(beside)
        assert [row.row for row in rows] == [
            "added p50 at 100 requests/s, ours",
            "added p99 at 100 requests/s, ours",
        ]
        assert all(row.interval[0] <= row.value <= row.interval[1] for row in rows)


class TestMemory:
    def test_growth_counts_from_the_end_of_the_warm_up(self):
        after, growth, peak = memory.rows([10.0, 50.0, *[51.0] * 17, 52.0], 60.0)
        assert (after.value, after.holds, peak.value) == (52.0, True, 60.0)
        assert (growth.value, growth.holds) == (pytest.approx(0.04), True)
        assert [row.holds for row in memory.rows([50.0] * 19 + [81.0], 90.0)] == [False, False, None]

    def test_fewer_requests_are_not_judged(self):
        assert {row.holds for row in memory.rows([50.0] * 19, 60.0)} == {None}

    def test_it_asks_as_often_as_it_is_told(self, small, monkeypatch):
        monkeypatch.setattr(memory, "CHUNK", 200)
        monkeypatch.setattr("benchmarks.gateway.running.SETTLE", 0)
        after, _, peak = memory.measure(small)
        assert after.row == "RSS of a worker after 400 requests"
        assert 1 < after.value <= peak.value
        assert len(small.peers[0].kept(small.folder / "memory")) == 1 + 400


@pytest.mark.fault
class TestLoss:
    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch):
        monkeypatch.setattr(loss, "AFTER", (0.3, 0.4))
        monkeypatch.setattr(loss, "KILLS_OF_PEERS", 2)

    @pytest.mark.parametrize(("log", "lost"), [("before", False), ("after", True)])
    def test_what_is_logged_after_the_answer_is_lost(self, small, log, lost):
        row, asked = loss._peer(small, toy("theirs", log))
        assert row.row == "acknowledged and lost over 2 SIGKILLs, theirs"
        assert asked.value > 0
        assert (row.value > 0) is lost

    def test_peers_without_a_log_are_left_out(self, small, monkeypatch):
        monkeypatch.setattr(loss, "_ours", lambda _: [])
        silent = toy("silent", "none")
        without = Bench(small.upstream, small.folder, [*small.peers, silent], 1, 0)
        assert {row.row.split(", ")[1] for row in loss.measure(without)} == {"theirs"}

    def test_one_process_may_die_first_and_the_load_goes_on(self, small):
        with running(toy("ours"), small.upstream, small.folder / "one") as gateway:
            answers = loss.killed(gateway, requests(), 0, one_first=True)
            assert not gateway.tree.running
        assert {a.marker for a in answers} <= small.peers[0].kept(small.folder / "one")

    def test_an_id_or_a_marker_is_enough_and_neither_is_a_loss(self):
        answers = [
            Answer("m1", 200, "e1", 0.1, False),
            Answer("m2", 200, "", 0.1, True),
            Answer("m3", 200, "e3", 0.1, True),
        ]
        lost, asked, streamed = loss.rows("ours", 20, answers, {"e1", "m2"}, bar=0)
        assert (lost.value, lost.holds, asked.value, streamed.value) == (1, False, 3, 2)
        assert loss.rows("ours", 20, answers, {"e1", "m2", "e3"}, bar=0)[0].holds is True

    def test_nothing_acknowledged_is_no_proof(self):
        plain, streamed = Answer("m1", 200, "e1", 0.1, False), Answer("m2", 200, "e2", 0.1, True)
        for answers in ([], [plain], [streamed]):
            with pytest.raises(RuntimeError, match="acknowledged"):
                loss.rows("ours", 20, answers, {"e1", "e2"}, bar=0)
        with pytest.raises(RuntimeError, match="acknowledged 0 requests"):
            loss.rows("theirs", 3, [], set())


class TestPeers:
    @pytest.mark.parametrize("name", PEERS)
    def test_each_says_how_to_install_it_and_writes_its_settings(self, name, tmp_path):
        one = peer(name)
        assert all([one.INSTALL, one.NAME, one.LOG, one.MODEL])
        command = one.command(tmp_path / "peer", Upstream(18_001, 18_002), 18_003)
        written = "".join(p.read_text() for p in (tmp_path / "peer").iterdir()) + str(
            one.headers(Upstream(18_001, 18_002))
        )
        assert "127.0.0.1:18001" in written
        assert "18003" in written + " ".join(command)
        assert one.kept(tmp_path / "peer") == set()

    @pytest.mark.parametrize("name", ["litellm", "portkey", "tensorzero"])
    def test_where_it_is_not_it_is_not_installed(self, name, monkeypatch, tmp_path):
        monkeypatch.setenv(f"OPENFLYWHEEL_{name.upper()}", str(tmp_path / "nowhere"))
        assert peer(name).installed() is None

    @pytest.mark.parametrize("name", ["litellm", "tensorzero"])
    def test_its_version_is_what_the_program_says(self, name, monkeypatch, tmp_path):
        program = tmp_path / "program"
        program.write_text("#!/bin/sh\necho 'Gateway: Version = 1.2.3'\n")
        program.chmod(0o755)
        monkeypatch.setenv(f"OPENFLYWHEEL_{name.upper()}", str(program))
        assert peer(name).installed() == "1.2.3"
        assert str(program) in peer(name).command(tmp_path / "peer", Upstream(1, 2), 3)

    def test_our_settings_are_valid(self, tmp_path):
        flywheel.settings(tmp_path, Upstream(1, 2))
        settings = parse((tmp_path / "flywheel.yaml").read_text(), folder=tmp_path)
        assert settings.rooms["serve"][0].settings["slow"].url == "http://127.0.0.1:2/v1"
        assert flywheel.installed()

    def test_our_journal_is_read_as_the_store_writes_it(self, tmp_path):
        exchange = Exchange(episode="e", task="route", input="hello", output="greeting", variant="v")
        store = Store(tmp_path / "wheel")
        store.append([exchange])
        assert flywheel.kept(tmp_path) == {exchange.id}
        store.close()

    def test_our_workers_are_counted(self, tmp_path):
        command = flywheel.command(tmp_path, Upstream(1, 2), 3, workers=2)
        assert command[-4:] == ["--port", "3", "--workers", "2"]


class TestLabel:
    def test_the_shops_texts_are_enough_and_the_asked_ones_are_new(self, tmp_path, monkeypatch):
        monkeypatch.setattr(flywheel, "FLYWHEEL", [sys.executable, "-c", "import sys; print(sys.argv)"])
        texts = list(label.teach(tmp_path))
        taught = [json.loads(line) for line in (tmp_path / "seeds.jsonl").read_text().splitlines()]
        assert len(taught) == label.TAUGHT
        assert len({row["label"] for row in taught}) > 20
        assert len(set(texts)) == len(texts) >= label.WARM + 2 * label.ASKED

    def test_a_turn_that_fails_is_an_error(self, tmp_path, monkeypatch):
        monkeypatch.setattr(flywheel, "FLYWHEEL", [sys.executable, "-c", "raise SystemExit(1)"])
        with pytest.raises(subprocess.CalledProcessError):
            label.teach(tmp_path)


class TestStreams:
    def test_a_stream_is_the_sdks_shape_and_ends_with_done(self, tmp_path):
        port = free_port()
        with Tree([sys.executable, str(behind.STREAMS), str(port)], tmp_path) as tree:
            tree.wait(port)
            answers = Load(port, asking.chats(PATH, "gpt-x", {}, stream=True)).closed(2, count=4)
        assert {(a.status, a.streamed) for a in answers} == {(200, True)}
        assert min(a.seconds for a in answers) > streams.PIECES * streams.PAUSE

    def test_its_chunks_are_valid(self):
        for number in range(streams.PIECES + 1):
            size, _, rest = streams.piece(number).partition(b"\r\n")
            assert len(rest) == int(size, 16) + 2
            [choice] = json.loads(rest.removeprefix(b"data: "))["choices"]
            assert choice["finish_reason"] == ("stop" if number == streams.PIECES else None)


@NGINX
class TestNginx:
    @pytest.mark.slow
    def test_the_whole_benchmark_in_small(self, monkeypatch, capsys):
        for module, name, value in ((cpu, "SECONDS", 0.3), (cpu, "WARM", 0.1), (cpu, "PEERS", ("nginx",))):
            monkeypatch.setattr(module, name, value)
        monkeypatch.setattr(bench, "peer", lambda name: toy("flywheel") if name == "flywheel" else peer(name))
        arguments = ["gateway", "--peers", "nginx", "--only", "cpu", "--rounds", "2", "--json"]
        monkeypatch.setattr("sys.argv", arguments)
        with pytest.raises(SystemExit) as left:
            bench.main()
        said = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert left.value.code == any(row["holds"] is False for row in said["rows"])
        assert (said["benchmark"], len(said["bursts"]), said["cores"]) == ("gateway", 8, os.cpu_count())
        assert said["peers"]["nginx with a body log"]["version"] == peer("nginx").installed()

    @pytest.mark.fault
    def test_it_logs_the_bodies_of_what_it_sends_on(self, tmp_path):
        with behind.upstream(tmp_path / "upstream") as ports:
            nginx = peer("nginx")
            with running(nginx, ports, tmp_path / "nginx") as gateway:
                answers = gateway.good(one := gateway.load(), one.closed(4, count=100))
                eventually(lambda: {a.marker for a in answers} <= nginx.kept(tmp_path / "nginx"))


class TestArguments:
    def test_what_is_unknown_is_told_with_the_choices(self, monkeypatch, capsys):
        monkeypatch.setattr("sys.argv", ["gateway", "--peers", "nginx,kong"])
        with pytest.raises(SystemExit):
            bench.main()
        assert "kong: choose from litellm, nginx, portkey, tensorzero" in capsys.readouterr().err

    def test_without_nginx_it_says_how_to_get_it(self, monkeypatch, tmp_path):
        monkeypatch.setattr("sys.argv", ["gateway"])
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(SystemExit, match="apt-get install nginx-light"):
            bench.main()

    def test_a_skipped_peer_is_told_with_how_to_install_it(self, monkeypatch, tmp_path):
        monkeypatch.setenv("OPENFLYWHEEL_PORTKEY", str(tmp_path))
        portkey = peer("portkey")
        assert bench._about(portkey) == {"version": None, "log": "none", "skipped": portkey.INSTALL}
        assert "skipped" not in bench._about(toy("here"))
