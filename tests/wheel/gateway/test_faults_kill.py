"""SIGKILL under load: what a client was told is kept."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx2
import pytest

ASK = {"model": "up/small", "messages": [{"role": "user", "content": "hello"}]}
NAME = "x-flywheel-exchange"


@pytest.mark.slow
@pytest.mark.fault
def test_a_killed_worker_takes_nothing_acknowledged_with_it(serving, until):
    gate = serving("--workers", "2")
    stop, told = Event(), list[str]()
    with ThreadPoolExecutor(8) as clients:
        for number in range(8):
            clients.submit(_ask_on, gate.root, number % 2 == 0, stop, told)
        try:
            for _ in range(3):
                before = len(told)
                until(lambda enough=before + 50: len(told) > enough)
                victim = gate.workers()[0]
                os.kill(victim, signal.SIGKILL)
                until(lambda gone=victim: gone not in gate.children() and len(gate.workers()) == 2)
        finally:
            stop.set()
    assert len(told) > 150
    kept = {exchange.id: exchange for exchange in gate.exchanges()}
    assert not [id for id in told if id not in kept]
    assert {kept[id].ended for id in told} == {""}
    assert {call.id for call in gate.calls()} == set(kept), "never one without the other"
    assert gate.openai().chat.completions.create(**ASK).choices
    assert gate.stop() == 0


def _ask_on(root: str, stream: bool, stop: Event, told: list[str]) -> None:
    """Ask until told to stop; note the name of every exchange whose answer came whole."""
    while not stop.is_set():
        try:
            with httpx2.Client(base_url=root, timeout=30) as http:
                while not stop.is_set():
                    answer = http.post("/v1/chat/completions", json={**ASK, "stream": stream})
                    whole = answer.text.endswith("data: [DONE]\n\n") if stream else bool(answer.json())
                    if answer.status_code == 200 and whole:
                        told.append(answer.headers[NAME])
        except httpx2.TransportError:
            continue  # that was the killed worker's; another takes the next connection
