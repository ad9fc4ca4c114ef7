"""The client as sources meet it: from any thread, with an honest name, over TLS, and closed for good."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from openflywheel.base.settings import WebSettings
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.web import Web

from .conftest import Evil, reply


def test_a_page_of_a_real_server_is_fetched(web, site):
    url = site.page("/a?b=c", "<p>grün</p>", etag='"1"')
    response = web.get(url + "#part", headers={"Accept-Language": "de"})
    assert (response.url, response.status, response.text) == (url, 200, "<p>grün</p>")
    assert (response.mime, response.charset, response.headers["etag"]) == ("text/html", "utf-8", '"1"')
    assert 0 < response.seconds < 60
    [(path, headers)] = site.asked
    assert path == "/a?b=c"
    assert headers["accept-language"] == "de"
    assert "content-length" not in headers


def test_a_body_is_posted(web, site):
    site.page("/in", b'{"id": 1}', content_type="application/json")
    response = web.post(
        f"{site.url}/in", b"a=b", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert response.json() == {"id": 1}
    assert site.asked[0][1][":body"] == "a=b"


def test_an_empty_post_says_its_length(web, site):
    web.post(f"{site.url}/in", b"")
    assert site.asked[0][1]["content-length"] == "0"


def test_it_says_who_asks_and_how_to_reach_them(web, site):
    assert web.agent == "openflywheel/0.1 (+test@example.com)"
    web.get(site.page("/", "x"))
    assert site.asked[0][1]["user-agent"] == web.agent
    assert Web(WebSettings()).agent == "openflywheel/0.1"


def test_headers_of_ones_own_override_the_usual_ones_whatever_their_case(web, site):
    web.get(site.page("/", "x"), headers={"ACCEPT": "text/html", "X-Key": "k"})
    assert (site.asked[0][1]["accept"], site.asked[0][1]["x-key"]) == ("text/html", "k")


@pytest.mark.parametrize(
    ("name", "value"),
    [("x-a", "s3cret\r\nx-c: d"), ("x-a", "s3cret\n"), ("x-a", "s3cret…"), ("x-a: b\r\nx", "c")],
)
def test_a_header_that_cannot_be_sent_is_named_and_not_said(web, site, name, value):
    with pytest.raises(FetchFailed, match="line break") as failed:
        web.get(site.page("/", "x"), headers={name: value})
    assert failed.value.reason == "bad header"
    assert "s3cret" not in str(failed.value)
    assert site.asked == []


def test_letters_of_latin_1_are_sent(web, site):
    web.get(site.page("/", "x"), headers={"x-a": "grün"})
    assert site.asked[0][1]["x-a"] == "grün"


def test_cookies_are_not_kept(web, site):
    url = site.page("/", "x", set_cookie="a=b")
    web.get(url)
    web.get(url)
    assert "cookie" not in site.asked[1][1]


def test_it_knows_its_own_hosts(web):
    assert web.owns("http://127.0.0.1:9/x")
    assert not web.owns("http://example.com/")
    with pytest.raises(FetchFailed, match="address not allowed"):
        web.owns("file:///x")


def test_nothing_is_allowed_that_is_not_named(evil):
    web = Web(WebSettings(delay=0))
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1 is not public"):
        web.get(evil.url)
    web.close()
    assert evil.connections == 0


def test_many_threads_fetch_at_once(web, site):
    urls = [site.page(f"/{number}", str(number)) for number in range(20)]
    texts: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda url=url: texts.update({url: web.get(url).text})) for url in urls
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {url: url.rpartition("/")[2] for url in urls}


def test_many_fetches_run_at_once_on_its_loop(web, site):
    urls = [site.page(f"/{number}", str(number)) for number in range(20)]

    async def all_of_them() -> list[str]:
        return [response.text for response in await asyncio.gather(*map(web.fetch, urls))]

    assert web.run(all_of_them()) == [str(number) for number in range(20)]


def test_hosts_hold_the_delay_of_the_settings(site):
    web = Web(WebSettings(delay=0.05, allow=("127.0.0.1",)))

    async def twice() -> float:
        start = asyncio.get_running_loop().time()
        for _ in range(2):
            async with web.hosts.turn("127.0.0.1"):
                await web.fetch(site.url)
        return asyncio.get_running_loop().time() - start

    assert web.run(twice()) >= 0.049
    web.close()


def test_closing_drops_the_connections_and_may_be_done_twice(evil):
    web = Web(WebSettings(allow=("127.0.0.1",)))
    web.get(evil.url)
    web.close()
    web.close()
    evil.threads[1].join(10)
    assert not evil.threads[1].is_alive()  # the server saw the connection's end


def test_closing_ends_what_still_runs(evil):
    web = Web(WebSettings(allow=("127.0.0.1",)))
    asked, ended = threading.Event(), []
    evil.says(lambda connection, request: (asked.set(), connection.recv(1)))

    def waits() -> None:
        with pytest.raises(BaseException) as error:  # noqa: PT011  concurrent.futures' own CancelledError
            web.get(evil.url)
        ended.append(type(error.value).__name__)

    waiting = threading.Thread(target=waits)
    waiting.start()
    assert asked.wait(10)
    web.close()
    waiting.join(10)
    assert ended == ["CancelledError"]


def test_ipv6_is_spoken(web):
    try:
        server = Evil("::1", family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    own = Web(WebSettings(allow=("::1",)))
    assert own.get(f"http://[::1]:{server.port}/").body == b"hello"
    assert f"host: [::1]:{server.port}\r\n".encode() in server.requests[0]
    own.close()
    server.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("openssl is missing: no certificate can be made")
    folder = tmp_path_factory.mktemp("tls")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=own.example.com"]
    made += ["-addext", "subjectAltName=DNS:own.example.com", "-days", "1"]
    made += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(made, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(certificate):
    """A server on TLS whose certificate is for own.example.com; it notes the names it was asked by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    server = Evil()
    server.names = []
    context.sni_callback = lambda connection, name, context: server.names.append(name)
    serve = server.serve

    def over_tls(connection: socket.socket) -> None:
        try:
            serve(context.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()

    server.serve = over_tls
    server.trust = ssl.create_default_context(cafile=str(certificate / "certificate.pem"))
    yield server
    server.close()


async def here(host: str, port: int) -> tuple[str, ...]:
    return ("127.0.0.1",)


def test_tls_is_with_the_hosts_name_at_the_address_that_was_judged(secure):
    web = Web(WebSettings(allow=("own.example.com",)), resolve=here, trust=secure.trust)
    assert web.get(f"https://own.example.com:{secure.port}/").body == b"hello"
    web.close()
    assert secure.names == ["own.example.com"]


@pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1"])
def test_a_certificate_of_another_name_is_refused(secure, host):
    web = Web(WebSettings(allow=(host,)), resolve=here, trust=secure.trust)
    with pytest.raises(FetchFailed) as failed:
        web.get(f"https://{host}:{secure.port}/")
    web.close()
    assert failed.value.reason == "bad certificate"
    assert secure.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(secure):
    web = Web(WebSettings(allow=("own.example.com",)), resolve=here)
    with pytest.raises(FetchFailed) as failed:
        web.get(f"https://own.example.com:{secure.port}/")
    web.close()
    assert failed.value.reason == "bad certificate"
    assert secure.connections == 1


def test_tls_with_a_server_that_speaks_none_fails(evil):
    evil.serve = lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    web = Web(WebSettings(allow=("127.0.0.1",)))
    with pytest.raises(FetchFailed) as failed:
        web.get(f"https://127.0.0.1:{evil.port}/")
    web.close()
    assert failed.value.reason in ("tls failed", "no connection")


def test_a_redirect_does_not_take_a_secret_out_of_tls(secure, evil):
    secure.says(reply(status="302 Found", location=f"{evil.url}/"))
    web = Web(WebSettings(allow=("own.example.com", "127.0.0.1")), resolve=here, trust=secure.trust)
    with pytest.raises(FetchFailed) as failed:
        web.get(f"https://own.example.com:{secure.port}/", headers={"Authorization": "Bearer s"})
    assert failed.value.reason == "redirect not allowed"
    assert evil.requests == []
    assert web.get(f"https://own.example.com:{secure.port}/").body == b"hello"
    web.close()
