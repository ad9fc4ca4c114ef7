import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from openflywheel.base.nouns import Attempt, Call, Exchange, Signal
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._gateway.metrics import Metrics
from openflywheel.serve._gateway.names import MOST, Names
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.providers import Breaker, Provider


def finished(*attempts: Attempt, first_byte: float = 0.0, status: int = 200, **exchange: Any) -> Finished:
    fields = {"episode": "e", "task": "", "input": "", "output": "", "variant": "up/m", "latency": 0.2}
    call = Call(surface="chat", status=status, attempts=attempts, input_tokens=3, output_tokens=4)
    return Finished(Exchange(**{**fields, **exchange}), call, first_byte)


def tried(provider: str, model: str = "m", status: int = 200, error: str = "") -> Attempt:
    return Attempt(provider=provider, model=model, status=status, error=error)


def told(metrics: Metrics, name: str) -> dict[frozenset[tuple[str, str]], float]:
    """Labels -> value of one of the exposed series."""
    return {
        frozenset(sample.labels.items()): sample.value
        for family in text_string_to_metric_families(metrics.expose().decode())
        for sample in family.samples
        if sample.name == f"openflywheel_{name}"
    }


def labels(**of: str) -> frozenset[tuple[str, str]]:
    return frozenset(of.items())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Names(["small"]))


def test_a_request_is_counted_with_its_time_tokens_and_cost(metrics: Metrics) -> None:
    for _ in range(2):
        metrics(finished(tried("up"), task="answer", variant="small", cost=0.25, first_byte=0.1))
    about = {"surface": "chat", "task": "answer", "variant": "small"}
    requests = told(metrics, "requests_total")
    assert requests == {labels(**about, provider="up", status="200", ended=""): 2}
    assert told(metrics, "request_seconds_sum")[labels(**about)] == pytest.approx(0.4)
    assert told(metrics, "first_byte_seconds_count")[labels(**about)] == 2
    assert told(metrics, "tokens_total")[labels(task="answer", variant="small", kind="input")] == 6
    assert told(metrics, "tokens_total")[labels(task="answer", variant="small", kind="output")] == 8
    assert told(metrics, "cost_total")[labels(task="answer", variant="small")] == 0.5


def test_a_whole_answer_has_no_first_byte(metrics: Metrics) -> None:
    metrics(finished(tried("up")))
    assert set(told(metrics, "first_byte_seconds_count").values()) == {0}


def test_our_own_answers_have_us_for_their_provider(metrics: Metrics) -> None:
    metrics(finished(task="route", variant="small"))
    assert [dict(of)["provider"] for of in told(metrics, "requests_total")] == ["flywheel"]


def test_retries_and_fallbacks_are_told_apart(metrics: Metrics) -> None:
    no = tried("up", status=0, error="gone")
    metrics(finished(no, tried("up", status=500), tried("up", "other", 500), tried("claude")))
    assert told(metrics, "retries_total") == {labels(provider="up"): 1}
    assert told(metrics, "fallbacks_total") == {labels(provider="up"): 2}
    assert told(metrics, "attempts_total") == {
        labels(provider="up", status="0"): 1,
        labels(provider="up", status="500"): 2,
        labels(provider="claude", status="200"): 1,
    }


def test_clients_cannot_make_series_without_bound(metrics: Metrics) -> None:
    for i in range(3 * MOST):
        metrics(finished(tried("up"), variant=f"up/{i}"))
    assert len(told(metrics, "requests_total")) == MOST + 1
    assert sum(told(metrics, "requests_total").values()) == 3 * MOST


def test_failures_do_not_take_the_places_of_names(metrics: Metrics) -> None:
    for i in range(3):
        metrics(finished(tried("up", status=404), variant=f"up/{i}", status=404, ended="failed"))
    [(of, value)] = told(metrics, "requests_total").items()
    assert (dict(of)["variant"], dict(of)["ended"], value) == ("up/*", "failed", 3)


def test_signals_are_counted_by_kind_and_source(metrics: Metrics) -> None:
    signal = Signal(exchange="x", kind="rating", value=1, source="user", explicit=True)
    metrics.heard([signal, signal])
    assert told(metrics, "signals_total") == {labels(kind="rating", source="user"): 2}


def test_gauges_follow_the_state(metrics: Metrics) -> None:
    upstream = Upstream("up", Provider(url="http://127.0.0.1:1", breaker=Breaker(failures=1)))
    metrics.look([upstream], trouble=False)
    assert told(metrics, "circuit_open") == {labels(provider="up"): 0}
    assert told(metrics, "journal_trouble") == {labels(): 0}
    upstream.circuit.failed()
    upstream.running = 3
    metrics.look([upstream], trouble=True, behind=["answer"])
    assert told(metrics, "champions_not_loaded") == {labels(): 1}
    assert told(metrics, "circuit_open") == {labels(provider="up"): 1}
    assert told(metrics, "provider_running") == {labels(provider="up"): 3}
    assert told(metrics, "journal_trouble") == {labels(): 1}


WORKER = """
from openflywheel.base.nouns import Call, Exchange
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._gateway.metrics import Metrics
from openflywheel.serve._gateway.names import Names
metrics = Metrics(Names([]))
exchange = Exchange(episode="e", task="", input="", output="", variant="up/m")
metrics(Finished(exchange, Call(surface="chat", status=200)))
metrics.look([], trouble=True)
"""


def test_processes_count_together_and_the_dead_leave_no_gauges(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", WORKER], env=environment, check=True)
    assert all(file.stat().st_size >= 2**20 for file in tmp_path.glob("*.db"))
    code = WORKER + "print(metrics.expose().decode())"
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    lines = out.stdout.splitlines()
    [requests] = [line for line in lines if line.startswith("openflywheel_requests_total{")]
    assert requests.endswith(" 3.0")
    assert "openflywheel_journal_trouble 1.0" in lines
    assert len(list(tmp_path.glob("gauge_livesum_*.db"))) == 1
