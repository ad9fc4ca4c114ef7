"""`flywheel serve` as an operator runs it: real processes."""

import shutil
import signal
import socket
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import httpx2
import openai
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.wheel.gateway.supervisor import serve

ASK = {"model": "up/small", "messages": [{"role": "user", "content": "hello"}]}
LONG = {"rules": [{"per_token": 0.05, "answer": "word " * 40}]}


def test_beyond_this_machine_keys_are_needed(written):
    with pytest.raises(SettingsError, match="flywheel keys create"):
        serve(written(), host="0.0.0.0", port=0, turns=False)


def test_a_port_that_is_taken(written):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}.*--port"):
            serve(written(), port=port, turns=False)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"serve": {"routes": {"answer": {"fallback": ["nobody/x"]}}}}, "nobody/x"),
        ({"serve": {"gateway": {"workers": 0}}}, "workers"),
        ({"serve": {"gateway": {"certificate": "a.pem"}}}, "private_key"),
    ],
)
def test_settings_that_cannot_be(written, changes, said):
    with pytest.raises(SettingsError, match=said):
        serve(written(**changes), port=0, turns=False)


def _stream(client: openai.OpenAI, words: list[str]) -> None:
    stream = client.chat.completions.create(**ASK, stream=True)
    words.extend(chunk.choices[0].delta.content or "" for chunk in stream)


@pytest.mark.slow
def test_a_stream_may_end_when_it_is_told_to_stop(serving, fake, until):
    fake.script(LONG)
    gate = serving()
    words: list[str] = []
    asking = Thread(target=_stream, args=(gate.openai(), words))
    asking.start()
    until(lambda: len(words) > 2)
    gate.process.send_signal(signal.SIGTERM)
    asking.join()
    assert "".join(words) == "word " * 40
    assert gate.process.wait(30) == 0
    [exchange] = gate.exchanges()
    assert (exchange.output, exchange.ended) == ("word " * 40, "")


@pytest.mark.slow
def test_a_stream_that_takes_too_long_is_cut_and_kept(serving, fake, until):
    fake.script({"rules": [{"per_token": 0.5, "answer": "word " * 400}]})
    gate = serving(serve={"gateway": {"drain": 1}})
    with gate.http().stream("POST", "/v1/chat/completions", json={**ASK, "stream": True}) as answer:
        lines = answer.iter_lines()
        next(line for line in lines if "word" in line)
        assert gate.stop() == 0
        with suppress(httpx2.RemoteProtocolError):  # the connection may go before the last frame is out
            list(lines)
    [exchange] = gate.exchanges()
    assert exchange.ended == "cut"
    assert exchange.output.startswith("word")


@pytest.mark.slow
@pytest.mark.fault
def test_a_supervisor_that_is_killed_leaves_nobody(serving, until):
    gate = serving("--workers", "2")
    until(lambda: len(gate.workers()) == 2)
    family = gate.children()
    gate.process.kill()
    gate.process.wait()
    until(lambda: not [_command(pid) for pid in family if _alive(pid)])


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
def test_two_workers_share_rates_keys_and_the_journal(serving, until):
    gate = serving("--workers", "2")
    until(lambda: len(gate.workers()) == 2)
    secret = gate.key(rate="6/h")
    time.sleep(2.5)  # both know the key now
    statuses = []
    for _ in range(12):  # each on a new connection, which either worker may take
        with httpx2.Client(base_url=gate.root, timeout=30) as http:
            headers = {"authorization": f"Bearer {secret}"}
            statuses.append(http.post("/v1/chat/completions", json=ASK, headers=headers).status_code)
    assert sorted(statuses) == [200] * 6 + [429] * 6
    assert len(gate.exchanges()) == 6
    assert gate.stop() == 0
    assert secret not in gate.said()
    assert "sk-upstream" not in gate.said()


@pytest.mark.slow
def test_no_secret_is_said_when_things_go_wrong(serving, fake):
    fake.script({"rules": [{"cut_after": 1}, {"refuse": True}]})
    gate = serving(serve={"providers": {"claude": {"url": "http://127.0.0.1:9"}}})
    http = gate.http(headers={"authorization": "Bearer sk-very-secret", "x-api-key": "sk-very-secret"})
    for stream in (True, False):
        http.post("/v1/chat/completions", json={**ASK, "stream": stream})
        http.post("/v1/messages", json={**ASK, "model": "claude/big", "max_tokens": 5, "stream": stream})
    http.post("/v1/embeddings", content=b"\xff")
    http.post("/v1/embeddings", json={"model": "flywheel/encoder", "input": [1]})
    gate.stop()
    for secret in ("sk-very-secret", "sk-upstream", "hello"):
        assert secret not in gate.said()


@pytest.mark.slow
def test_tls(serving, tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    certificate, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-days",
        "2",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(private), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    files = {"certificate": str(certificate), "private_key": str(private)}
    gate = serving(serve={"gateway": files})
    assert gate.root.startswith("https://")
    trusted = ssl.create_default_context(cafile=certificate)
    with httpx2.Client(verify=trusted) as http:
        client = openai.OpenAI(base_url=gate.url, api_key="k", http_client=http)
        assert client.chat.completions.create(**ASK).choices[0].message.content == "Echo: hello"
    with pytest.raises(httpx2.TransportError):
        httpx2.get(gate.root.replace("https", "http") + "/healthz")
