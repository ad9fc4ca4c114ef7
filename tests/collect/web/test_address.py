"""The guard: a corpus of URLs that must be refused, hosts of one's own, names that change their address."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from openflywheel.base.settings import WebSettings
from openflywheel.collect._web import address, hop
from openflywheel.collect._web.address import Guard, Target, read
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.web import Web

from .conftest import reply

PUBLIC = "93.184.215.14"
CORPUS = [
    line.split(" ")
    for line in (Path(__file__).parents[3] / "benchmarks" / "ssrf.txt").read_text().splitlines()
    if not line.startswith("#")
]


class Names:
    """A resolver that gives the next answer at each look-up, and the last one from then on."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers, self.asked = list(answers), []

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def judged(url: str, names: Names, *own: str) -> Target:
    guard = Guard(own, names)
    target = guard.admit(url)
    asyncio.run(guard.addresses(target))
    return target


def test_the_corpus_is_as_large_as_it_claims():
    assert len(CORPUS) >= 60
    assert len({url for url, *_ in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize(("url", "addresses"), [(url, tuple(rest)) for url, *rest in CORPUS])
def test_every_url_of_the_corpus_is_refused(url, addresses):
    with pytest.raises(FetchFailed) as refused:
        judged(url, Names(addresses or (PUBLIC,)))
    assert refused.value.reason == "address not allowed"


def test_every_url_of_the_corpus_is_refused_when_a_redirect_leads_to_it(evil):
    known = {urlsplit(url).hostname: tuple(rest) for url, *rest in CORPUS if rest}

    async def names(host: str, port: int) -> tuple[str, ...]:
        return known[host]

    web = Web(WebSettings(allow=(f"127.0.0.1:{evil.port}",), delay=0), resolve=names)
    for url, *rest in CORPUS:
        if "[" not in url and urljoin(evil.url, url).startswith(evil.url):
            continue  # it names no host, and so stays where it is
        evil.says(reply(status="302 Found", location="there").replace(b"there", url.encode()))
        with pytest.raises(FetchFailed) as refused:
            web.get(evil.url)
        assert refused.value.reason == "address not allowed", (url, rest)
    web.close()


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://example.com", "example.com", 80, "/"),
        ("HTTPS://Example.COM./A?b=c#d", "example.com", 443, "/A?b=c"),
        ("https://example.com:8443?x", "example.com", 8443, "/?x"),
        (" http://example.com/a b\n", "example.com", 80, "/a%20b"),
        ("http://bücher.example.com/ü?q=ü", "xn--bcher-kva.example.com", 80, "/%C3%BC?q=%C3%BC"),
        ("http://example.com/%C3%BC?a=%20&b=[1]|", "example.com", 80, "/%C3%BC?a=%20&b=[1]|"),
        ("http://under_score.example.com/", "under_score.example.com", 80, "/"),
        ("http://8.8.8.8/", "8.8.8.8", 80, "/"),
        ("http://[2606:4700:0:0::1111]:8080/", "2606:4700::1111", 8080, "/"),
        ("http://[2606:4700::1111]/", "2606:4700::1111", 80, "/"),
    ],
)
def test_public_urls_pass_in_normal_form(url, host, port, path):
    target = judged(url, Names((PUBLIC, "2606:4700::1111")))
    assert (target.host, target.port, target.path) == (host, port, path)
    assert read(target.url) == target


def test_an_origin_leaves_out_the_port_that_goes_without_saying():
    assert read("https://example.com:443/").origin == "https://example.com"
    assert read("https://example.com:80/").origin == "https://example.com:80"
    assert read("http://[2606:4700::1111]:81/a").origin == "http://[2606:4700::1111]:81"


@pytest.mark.parametrize(
    "url", ["http://a.com/\r\nx: y", "http://a.com/\x00", "http://a.com/\ud800", "http://a\t.com/"]
)
def test_control_characters_are_refused(url):
    with pytest.raises(FetchFailed, match="control character"):
        read(url)


@pytest.mark.parametrize("label", ["a" * 64, "ü" * 64, "xn--" + "é" * 300])
def test_names_that_no_dns_could_hold_are_refused(label):
    with pytest.raises(FetchFailed) as refused:
        judged(f"http://{label}.example.com/", Names((PUBLIC,)))
    assert refused.value.reason == "address not allowed"


@pytest.mark.parametrize(
    ("own", "url", "owned"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080/", True),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/", True),
        ("127.0.0.1:8080", "http://127.0.0.1:8081/", False),
        ("wiki.internal", "https://wiki.internal/", True),
        ("WIKI.internal.", "https://Wiki.Internal./", True),
        ("wiki.internal:443", "https://wiki.internal/", True),
        ("wiki.internal", "https://x.wiki.internal/", False),
        ("::1", "http://[::1]:99/", True),
        ("[::1]:99", "http://[::1]:99/", True),
        ("[::1]:99", "http://[::1]:98/", False),
        ("localhost", "http://localhost:22/", True),
    ],
)
def test_hosts_of_ones_own_are_owned_by_name_and_port(own, url, owned):
    guard = Guard((own,), Names(("10.0.0.1",)))
    assert guard.owns(read(url)) is owned


def test_a_host_of_ones_own_may_have_any_address_and_port():
    assert judged("http://wiki.internal:6379/", Names(("10.0.0.1",)), "wiki.internal").host == "wiki.internal"


def test_owning_an_address_does_not_allow_other_ways_to_write_it():
    for url in ("http://127.1/", "http://2130706433/", "http://[::ffff:127.0.0.1]/", "http://localhost/"):
        with pytest.raises(FetchFailed, match="address not allowed"):
            judged(url, Names(("127.0.0.1",)), "127.0.0.1")


def test_one_bad_address_among_good_ones_refuses_the_name():
    with pytest.raises(FetchFailed, match=r"10\.0\.0\.1 is not public"):
        judged("http://a.example.com/", Names((PUBLIC, "10.0.0.1", PUBLIC)))


def test_an_unknown_name_and_a_resolver_that_is_away_are_told_apart():
    async def unknown(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def away(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    for names, reason in ((unknown, "no such host"), (away, "no connection")):
        with pytest.raises(FetchFailed) as failed:
            judged("http://a.example.com/", names)
        assert failed.value.reason == reason


def test_the_systems_resolver_gives_each_address_once():
    assert asyncio.run(address.look_up("127.0.0.1", 80)) == ("127.0.0.1",)


def test_a_name_that_changes_to_a_private_address_after_it_was_judged_gains_nothing(evil, monkeypatch):
    """DNS rebinding: the first answer is public (and unassigned), the next one is this machine."""
    monkeypatch.setattr(hop, "CONNECT", 0.2)
    monkeypatch.setattr(hop, "HEAD", 0.5)
    names = Names(("2d00::1",), ("127.0.0.1",))
    web = Web(WebSettings(delay=0), resolve=names)
    failures = set()
    for _ in range(3):
        with pytest.raises(FetchFailed) as failed:
            web.get(f"http://rebinds.example.com:{evil.port}/")
        failures.add(failed.value.reason)
    web.close()
    assert evil.connections == 0
    assert "address not allowed" in failures
    assert len(names.asked) >= 3


def test_the_connection_goes_to_the_address_that_was_looked_up_and_nothing_looks_again(evil):
    names = Names(("127.0.0.1",), ("127.0.0.2",))
    web = Web(WebSettings(allow=("own.example.com",), delay=0), resolve=names)
    for _ in range(3):
        assert web.get(f"http://own.example.com:{evil.port}/").body == b"hello"
    web.close()
    assert names.asked == [("own.example.com", evil.port)]
    assert evil.connections == 1
    assert f"host: own.example.com:{evil.port}\r\n".encode() in evil.requests[0]


def test_the_next_address_is_tried_when_one_does_not_answer(evil):
    names = Names(("127.0.0.2", "127.0.0.1"))  # nobody listens at the first
    web = Web(WebSettings(allow=("own.example.com",), delay=0), resolve=names)
    assert web.get(f"http://own.example.com:{evil.port}/").ok
    web.close()
