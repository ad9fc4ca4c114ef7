"""The circuit breaker and the budget of retries, on a clock of our own."""

import pytest

from openflywheel.serve._upstream.breaker import Circuit, RetryBudget
from openflywheel.serve.providers import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def circuit(clock):
    return Circuit(Breaker(failures=2, pause=10), clock)


def test_it_opens_after_failures_in_a_row(circuit):
    circuit.failed()
    assert circuit.admit()
    assert not circuit.open
    circuit.failed()
    assert not circuit.admit()
    assert circuit.open


def test_a_success_between_two_failures_keeps_it_closed(circuit):
    circuit.failed()
    circuit.succeeded()
    circuit.failed()
    assert circuit.admit()


def test_after_a_pause_one_may_try(circuit, clock):
    circuit.failed()
    circuit.failed()
    clock.now = 10
    assert not circuit.open
    assert circuit.admit()
    assert not circuit.admit(), "one at a time"
    clock.now = 20
    assert circuit.admit(), "the one that tried may never have come back"


def test_a_success_closes_it(circuit, clock):
    circuit.failed()
    circuit.failed()
    clock.now = 10
    assert circuit.admit()
    circuit.succeeded()
    assert circuit.admit()
    assert circuit.admit()


def test_another_failure_opens_it_again(circuit, clock):
    circuit.failed()
    circuit.failed()
    clock.now = 10
    circuit.admit()
    circuit.failed()
    clock.now = 19.9
    assert not circuit.admit()
    clock.now = 20
    assert circuit.admit()


def test_retries_have_a_reserve():
    budget = RetryBudget()
    assert [budget.withdraw() for _ in range(11)] == [True] * 10 + [False]


def test_requests_pay_for_retries():
    budget = RetryBudget()
    while budget.withdraw():
        pass
    for _ in range(4):
        budget.deposit(0.25)
    assert budget.withdraw()
    assert not budget.withdraw()


def test_what_is_saved_is_bounded():
    budget = RetryBudget()
    for _ in range(10_000):
        budget.deposit(1)
    assert sum(budget.withdraw() for _ in range(1000)) == 100
