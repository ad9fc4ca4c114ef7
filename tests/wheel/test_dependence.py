import time

import pytest

from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Attempt, Call
from openflywheel.base.settings import parse
from openflywheel.serve._fake.server import running
from openflywheel.store import Store
from openflywheel.wheel.dependence import look_at_providers, warnings

TWO = """
name: desk
store: wheel
tasks: {route: {kind: label}, answer: {kind: text}}
serve:
  providers:
    up: {url: "http://127.0.0.1:9/v1"}
    claude: {url: "http://127.0.0.1:9/v1", dialect: anthropic}
"""


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


def call(*attempts, at=None):
    at = time.time() if at is None else at
    return Call(id=event_id(at), at=at, surface="chat", attempts=attempts, request=b"\xff", response=b"\0")


def tried(provider="up", status=200, seconds=0.1, error=""):
    return Attempt(provider=provider, model="m", status=status, seconds=seconds, error=error)


def test_providers_are_shown_with_what_they_did_in_the_last_day(store):
    failed = tried(status=0, error="Broken: the connection was closed")
    store.append([call(tried(seconds=s / 10)) for s in range(1, 6)])
    store.append([call(failed, tried("claude", seconds=2.0)), call(tried(status=500))])
    store.append([call(tried(seconds=9.0), at=time.time() - 90_000)])
    up, claude = look_at_providers(parse(TWO), store).providers
    assert (up.name, up.dialect, up.attempts, up.failures) == ("up", "openai", 7, 2)
    assert (up.median_seconds, up.p95_seconds) == (pytest.approx(0.3), pytest.approx(0.48))
    assert up.share == pytest.approx(5 / 6)
    assert up.last_error in ("Broken: the connection was closed", "status 500")
    assert (claude.attempts, claude.failures, claude.last_error, claude.reachable) == (1, 0, "", "")


def test_without_traffic_nothing_is_claimed(store):
    found = look_at_providers(parse(TWO), store)
    assert [(p.attempts, p.share, p.median_seconds) for p in found.providers] == [(0, 0.0, None)] * 2
    assert found.warnings == []


def test_they_are_asked_now_when_that_is_wished(store):
    with running() as fake:
        text = TWO.replace("http://127.0.0.1:9/v1", fake.url, 1)
        up, claude = look_at_providers(parse(text), store, ask=True).providers
        assert up.reachable == "yes"
        assert claude.reachable.startswith("no: ")
        fake.script({"keys": ["sk-other"]})
        assert look_at_providers(parse(text), store, ask=True).providers[0].reachable == "status 401"


@pytest.mark.parametrize(
    ("change", "answered", "said"),
    [
        (
            ('    claude: {url: "http://127.0.0.1:9/v1", dialect: anthropic}\n', ""),
            {},
            ["up is the only provider"],
        ),
        (
            ("", "  routes: {answer: {variants: {a: {model: up/m}}}}\n"),
            {},
            ["task answer depends on up alone"],
        ),
        (
            ("", "  routes: {answer: {variants: {a: {model: up/m}}, fallback: [claude/m]}}\n"),
            {"up": 3, "claude": 1},
            [],
        ),
        (("", "  cascade: {route: {error: 0.02, else: up/m}}\n"), {}, ["task route: where our own model"]),
        (("", ""), {"up": 99, "claude": 1}, ["up gave 99% of the last day's answers"]),
    ],
    ids=["one", "a route without another", "a route with another", "a cascade", "nearly all"],
)
def test_dependence_on_one_provider_is_a_warning(change, answered, said):
    old, new = change
    text = TWO.replace(old, new) if old else TWO + new
    found = list(warnings(parse(text), answered))
    assert len(found) == len(said)
    assert all(warning.startswith(begin) for warning, begin in zip(found, said, strict=True))
