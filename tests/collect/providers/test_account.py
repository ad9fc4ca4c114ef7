"""The key is sent and told to nobody; what a provider answers becomes one clear error."""

import pytest
from msgspec import Struct

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.settings import WebSettings
from openflywheel.collect._fake.server import Running
from openflywheel.collect._providers import account as module
from openflywheel.collect._providers.account import DELIVERY, MOST, Account, need
from openflywheel.collect._providers.product import Refused
from openflywheel.collect._web.web import Web

KEY = "bd-very-secret"


class Said(Struct):
    status: str


def test_the_key_is_in_the_header_and_nowhere_else(web: Web, site) -> None:
    asked = []
    site.pages["/a?q=x+y"] = lambda headers: (asked.append(headers), (200, {}, b'{"status": "ok"}'))[1]
    account = Account(web, "someone", site.url + "/", KEY, "X-Key")
    assert account.read(account.get("/a", q="x y"), Said).status == "ok"
    assert asked[0]["x-key"] == KEY
    assert KEY not in repr(account) + str(site.paths())


def test_a_provider_that_repeats_our_key_does_not_put_it_into_the_error(web: Web, site) -> None:
    site.page("/a", f"no such key: {KEY}", 401)
    with pytest.raises(SourceFailed) as raised:
        Account(web, "someone", site.url, KEY).get("/a")
    said = str(raised.value)
    assert KEY not in said
    assert said.startswith("someone does not know our key (status 401 to /a): no such key: ***")
    assert "flywheel doctor" in said


@pytest.mark.parametrize(
    ("status", "final", "words"),
    [
        (400, True, "failed"),
        (402, False, "wants to be paid first"),
        (403, False, "refuses us"),
        (404, True, "does not have it"),
        (501, False, "failed"),
    ],
)
def test_only_some_refusals_are_final(web: Web, site, status: int, final: bool, words: str) -> None:
    site.page("/a", "nope", status)
    with pytest.raises(SourceFailed, match=rf"{words} \(status {status}") as raised:
        Account(web, "someone", site.url).get("/a")
    assert isinstance(raised.value, Refused) is final


def test_nobody_there_is_said_without_the_key(web: Web) -> None:
    with pytest.raises(SourceFailed, match=r"someone cannot be reached at http://127\.0\.0\.1:9: ") as raised:
        Account(web, "someone", "http://127.0.0.1:9", KEY).post("/a", {})
    assert KEY not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_rate_limit_is_waited_out(web: Web, far: Running) -> None:
    far.script({"rules": [{"path": "/datasets", "times": 2, "status": 429, "retry_after": 0}]})
    assert Account(web, "brightdata", far.url, KEY).get("/datasets/list").status == 200
    assert far.paths("/datasets") == ["GET /datasets/list"] * 3


def test_an_order_is_not_repeated_when_the_provider_fails_in_the_middle(web: Web, far: Running) -> None:
    far.script({"rules": [{"path": "/discover", "status": 500}]})
    with pytest.raises(SourceFailed, match="status 500"):
        Account(web, "brightdata", far.url, KEY).post("/discover", {"query": "x"})
    assert far.paths("/discover") == ["POST /discover"]


@pytest.mark.parametrize("body", ["<html>", "[1]", '{"status": 7}', '{"stat', "[" * 10_000])
def test_another_answer_than_the_api_describes_is_an_error_of_theirs(web: Web, site, body: str) -> None:
    site.page("/a", body)
    account = Account(web, "someone", site.url)
    with pytest.raises(SourceFailed, match="answered something else than its API says"):
        account.read(account.get("/a"), Said)


def test_a_missing_setting_is_named_with_an_example() -> None:
    need("brave", key="k")
    with pytest.raises(
        SettingsError, match="brightdata needs the setting 'zone', for example  zone: serp_api1"
    ):
        need("brightdata", key="k", zone="")


def test_a_private_address_is_explained(site) -> None:
    with_nothing_allowed = Web(WebSettings(contact="test@example.com", delay=0))
    try:
        with pytest.raises(
            SourceFailed, match=r"address not allowed; is it yours\? then name its host in wheel"
        ):
            Account(with_nothing_allowed, "searxng", site.url).get("/search")
    finally:
        with_nothing_allowed.close()


def test_only_a_download_may_be_large(web: Web, site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1_000)
    site.page("/a", b"x" * 2_000)
    account = Account(web, "someone", site.url)
    assert len(account.download("/a").body) == 2_000
    for ask in (lambda: account.get("/a"), lambda: account.post("/a", {})):
        with pytest.raises(SourceFailed, match="too large"):
            ask()


def test_the_limits_are_those_of_a_page_and_of_what_fits_into_memory() -> None:
    assert (MOST, DELIVERY) == (16_000_000, 256_000_000)
