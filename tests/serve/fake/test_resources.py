"""Files and jobs under a script: rules, keys, paths."""

import httpx2
import pytest

from openflywheel.serve._fake.problem import Problem
from openflywheel.serve._fake.resources import ROUTES, find, model_of

FORM = {"purpose": (None, "fine-tune"), "file": ("a.jsonl", b'{"messages": []}')}


@pytest.mark.parametrize(("method", "pattern"), [(method, pattern) for method, pattern, _ in ROUTES])
def test_every_route_is_found_with_its_id(method, pattern):
    _, id = find(method, pattern.replace("([^/]+)", "x-1"))
    assert id == ("x-1" if "(" in pattern else "")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/v1/files", 405),
        ("POST", "/v1/files/file-1", 405),
        ("DELETE", "/v1/fine_tuning/jobs/x", 405),
        ("GET", "/v1/fine_tuning/jobs/x/cancel", 405),
        ("GET", "/v1/fine_tuning/other", 404),
        ("GET", "/v1/files/a/b", 404),
        ("GET", "/v1/filesystem", 404),
    ],
)
def test_other_paths_and_methods_are_told(http, method, path, status):
    with pytest.raises(Problem) as caught:
        find(method, path)
    assert caught.value.status == status
    response = http.request(method, path)
    assert (response.status_code, response.json()["error"]["type"]) == (status, "invalid_request_error")


@pytest.mark.parametrize(
    ("body", "model"),
    [(b'{"model": "m"}', "m"), (b"{}", ""), (b"", ""), (b"\xff", ""), (b'{"model": 3}', ""), (b"[]", "")],
)
def test_the_model_of_a_request(body, model):
    assert model_of(body) == model


def test_keys_guard_files_and_jobs(fake, http):
    fake.script({"keys": ["sk-1"]})
    assert http.get("/v1/files").status_code == 401
    assert http.get("/v1/fine_tuning/jobs", headers={"authorization": "Bearer sk-1"}).status_code == 200


def test_a_status_is_told_before_anything_is_done(fake, http):
    fake.script({"rules": [{"path": "/files", "times": 1, "status": 503}]})
    assert http.post("/v1/files", files=FORM).status_code == 503
    assert http.get("/v1/files").json()["data"] == []


def test_a_refused_connection_does_nothing(fake, http):
    fake.script({"rules": [{"path": "/files", "times": 1, "refuse": True}]})
    with pytest.raises(httpx2.RemoteProtocolError):
        http.post("/v1/files", files=FORM)
    assert http.get("/v1/files").json()["data"] == []


@pytest.mark.parametrize("rule", [{"hang": True}, {"latency": 60}, {"cut_after": 1}, {"error_after": 0}])
def test_an_answer_that_is_lost_was_done_all_the_same(fake, http, rule):
    fake.script({"rules": [{"path": "/files", "times": 1, **rule}]})
    try:
        lost = http.post("/v1/files", files=FORM, timeout=0.3).status_code == 500
    except httpx2.TransportError:
        lost = True
    assert lost
    assert len(http.get("/v1/files").json()["data"]) == 1


def test_bytes_are_sent_as_they_are(http):
    id = http.post("/v1/files", files=FORM).json()["id"]
    response = http.get(f"/v1/files/{id}/content")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.content == FORM["file"][1]


def test_what_was_uploaded_is_in_the_ledger(fake, http):
    http.post("/v1/files", files=FORM, headers={"authorization": "Bearer sk-secret"})
    [seen] = fake.requests()
    assert (seen.method, seen.path, seen.headers["authorization"]) == ("POST", "/v1/files", "***")
    assert '{"messages": []}' in seen.body


def test_clearing_forgets_what_was_uploaded(http):
    http.post("/v1/files", files=FORM)
    assert http.delete("/fake/requests").status_code == 204
    assert http.get("/v1/files").json()["data"] == []
