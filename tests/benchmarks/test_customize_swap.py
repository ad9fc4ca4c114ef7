"""How long a swap takes: the clients that find out, and a whole small run."""

import pytest

from benchmarks.customize import swap
from openflywheel.base.instruments import artefact
from openflywheel.serve._fake.server import running


class Empty:
    """Adapters without weights, which are enough for the fake vLLM."""

    number = 3

    def keep(self, models, task, number):
        files = {"adapter/adapter_config.json": b"{}"}
        return artefact.keep(models, {"form": "generator", "task": task, "number": number}, files=files)


def port(fake) -> int:
    return int(fake.root.rpartition(":")[2])


def test_clients_note_who_answers():
    with running({"rules": [{"path": "completions", "nth": 3, "status": 500}]}) as fake:
        with swap.Clients(port(fake)) as clients:
            found = clients.first("flywheel/answer")
            clients.first("", patience=10)
        assert found.status == 200
        assert sum(answer.status == 500 for answer in clients.answers) == 1


def test_a_connection_that_breaks_is_a_failed_request():
    with running({"rules": [{"refuse": True, "times": 1}]}) as fake:
        with swap.Clients(port(fake)) as clients:
            clients.first("flywheel/answer")
        assert sum(answer.status == 0 for answer in clients.answers) == 1  # all have noted what they got


def test_who_never_answers():
    late = pytest.raises(TimeoutError, match="nobody does not answer")
    with running() as fake, swap.Clients(port(fake)) as clients, late:
        clients.first("nobody", patience=0.1)


def test_rows():
    fast, whole = swap._rows("vLLM", ([10.0, 30.0, 20.0], 0, 100))
    assert (fast.value, fast.interval, fast.holds, whole.holds) == (20.0, (10.0, 30.0), True, True)
    slow, torn = swap._rows("vLLM", ([200.0], 1, 100))
    assert (slow.holds, torn.holds) == (False, False)


@pytest.mark.slow
def test_swaps_before_a_fake_vllm(tmp_path):
    with swap.vllm() as url:
        swaps, failed, asked = swap.swapped(tmp_path / "run", {"engine": "vllm", "url": url}, Empty())
    assert len(swaps) == Empty.number - 1
    assert min(swaps) > 0
    assert failed == 0
    assert asked > 10
