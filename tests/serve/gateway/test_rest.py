"""The pages' machinery, with pages of our own before a real server."""

import logging
from collections.abc import Iterator
from threading import Thread
from time import sleep

import httpx2
import msgspec
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from openflywheel.base.errors import EncoderError, SettingsError, StoreError, UnknownExchange
from openflywheel.base.keys import Forbidden, Key, Scope, Unauthorised, UnknownKey
from openflywheel.serve._fake.server import listen, url_of
from openflywheel.serve._gateway.rest import Headers, Page, answer, rest

ERRORS = {
    "settings": SettingsError("that is wrong"),
    "exchange": UnknownExchange("no such exchange"),
    "key": UnknownKey("no such key"),
    "store": StoreError("the disk is full"),
    "json": msgspec.ValidationError("Expected `int` - at `$.n`"),
    "other": EncoderError("what only we may know"),
}


class OneDoor:
    """Lets `operate` in, and nobody else."""

    def key(self, headers: Headers, scope: Scope) -> Key | None:
        if b"authorization" not in headers:
            raise Unauthorised("no key")
        if scope != "operate":
            raise Forbidden(f"this needs {scope}")
        return None


async def _show(request: Request, key: Key | None) -> Response:
    return answer({"id": request.path_params.get("id", ""), "method": request.method})


async def _fail(request: Request, key: Key | None) -> Response:
    raise ERRORS[request.path_params["id"]]


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    pages = [
        Page(method="GET", path="/open", endpoint=_show, summary=""),
        Page(method="POST", path="/open", endpoint=_show, summary=""),
        Page(method="GET", path="/things/{id:path}", endpoint=_show, summary=""),
        Page(method="GET", path="/fail/{id}", endpoint=_fail, summary=""),
        Page(method="GET", path="/operate", endpoint=_show, summary="", scope="operate"),
        Page(method="DELETE", path="/admin", endpoint=_show, summary="", scope="admin"),
    ]
    config = uvicorn.Config(rest(OneDoor(), pages), lifespan="off", log_config=None)
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            sleep(0.01)
        with httpx2.Client(base_url=url_of(listening).removesuffix("/v1"), timeout=30) as client:
            yield client
        server.should_exit = True
        thread.join()


def test_each_method_of_a_path_has_its_page(http: httpx2.Client) -> None:
    assert http.get("/open").json()["method"] == "GET"
    assert http.post("/open").json()["method"] == "POST"
    assert http.head("/open").status_code == 200


def test_a_name_may_hold_slashes(http: httpx2.Client) -> None:
    assert http.get("/things/up/small").json()["id"] == "up/small"
    assert http.get("/things/up%2Fsmall").json()["id"] == "up/small"


def test_another_method_is_refused_with_those_there_are(http: httpx2.Client) -> None:
    refused = http.delete("/open")
    assert refused.status_code == 405
    assert {method.strip() for method in refused.headers["allow"].split(",")} >= {"GET", "POST"}
    assert refused.json()["error"]["code"] == "method_not_allowed"


def test_a_model_api_takes_only_post(http: httpx2.Client) -> None:
    refused = http.get("/v1/chat/completions")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "near"), [("/opne", "/open"), ("/v1/chat/completion", "/v1/chat/completions")]
)
def test_an_unknown_path_names_the_near_one(http: httpx2.Client, path: str, near: str) -> None:
    refused = http.get(path)
    assert refused.status_code == 404
    assert refused.json()["error"]["message"] == f"there is no {path}; did you mean {near!r}?"


def test_a_slash_at_the_end_is_another_path(http: httpx2.Client) -> None:
    assert http.get("/open/", follow_redirects=False).status_code == 404


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("settings", 400, "invalid_value"),
        ("json", 400, "invalid_body"),
        ("exchange", 404, "exchange_not_found"),
        ("key", 404, "key_not_found"),
        ("store", 503, "store_unavailable"),
    ],
)
def test_what_a_user_can_meet_is_told_in_its_words(
    http: httpx2.Client, name: str, status: int, code: str
) -> None:
    refused = http.get(f"/fail/{name}")
    assert refused.status_code == status
    assert refused.json()["error"]["code"] == code
    assert refused.json()["error"]["message"] == str(ERRORS[name])
    assert refused.headers.get("retry-after") == ("1" if status == 503 else None)


def test_the_unexpected_is_told_by_a_name_that_the_log_knows(
    http: httpx2.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "openflywheel"):
        refused = http.get("/fail/other")
    assert refused.status_code == 500
    assert "Traceback" not in refused.text
    assert "only we" not in refused.text
    name = refused.json()["error"]["message"].rpartition(" ")[2]
    [record] = caplog.records
    assert name in record.getMessage()
    assert "what only we may know" in record.getMessage()


def test_errors_come_in_the_dialect_of_who_asks(http: httpx2.Client) -> None:
    refused = http.get("/fail/exchange", headers={"anthropic-version": "2023-06-01"}).json()
    assert refused == {"type": "error", "error": {"type": "not_found_error", "message": "no such exchange"}}


def test_the_door_is_asked_for_each_page_with_a_scope(http: httpx2.Client) -> None:
    key = {"authorization": "Bearer fw"}
    assert http.get("/operate").status_code == 401
    assert http.get("/operate", headers=key).status_code == 200
    assert http.delete("/admin", headers=key).json()["error"]["code"] == "insufficient_scope"
    assert http.get("/open").status_code == 200
