"""A provider that dies: a real process, killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import openai
import pytest

ASK = {"model": "up/small", "messages": [{"role": "user", "content": "hello"}]}
CODE = "from openflywheel.window.terminal import main; main()"


@pytest.fixture
def provider(tmp_path, until) -> Iterator:
    """Start a provider on a port; what runs is killed after the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(port: int, script: str = "{}") -> "subprocess.Popen[bytes]":
        (tmp_path / "script.json").write_text(script)
        command = [sys.executable, "-c", CODE, "fake-provider", "--port", str(port)]
        command += ["--script", str(tmp_path / "script.json")]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        until(lambda: _answers(port))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/v1/models").is_success
    except httpx2.TransportError:
        return False


@pytest.mark.slow
@pytest.mark.fault
def test_a_provider_that_is_killed_and_comes_back(gateway, provider, free_port):
    port = free_port()
    slow = '{"rules": [{"per_token": 0.1, "answer": "a long story that never ends, or so it seems to all"}]}'
    process = provider(port, slow)
    breaker = {"failures": 100}
    gate = gateway(serve={"providers": {"up": {"url": f"http://127.0.0.1:{port}/v1", "breaker": breaker}}})
    client = gate.openai()
    with pytest.raises(openai.APIError, match="broke off"):
        for number, _ in enumerate(client.chat.completions.create(**ASK, stream=True)):
            if number == 3:
                process.send_signal(signal.SIGKILL)
    [exchange] = gate.exchanges()
    assert exchange.ended == "cut"
    assert exchange.output.startswith("a lo")
    process.wait()
    with pytest.raises(openai.InternalServerError, match="no provider answered"):
        client.chat.completions.create(**ASK)
    assert gate.exchanges()[1].ended == "failed"
    provider(port)
    assert client.chat.completions.create(**ASK).choices[0].message.content == "Echo: hello"
