"""The fake Bright Data says what the documentation of the real one says."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from openflywheel.collect._fake.catalogue import CRAWL
from openflywheel.collect._fake.server import Running
from openflywheel.collect._providers.rows import rows

TRIGGER = "/datasets/v3/trigger?dataset_id=gd_fake_reviews&include_errors=true"
PUSH = {"dataset_id": "gd_fake_reviews", "include_errors": "true"}
TOASTER = [{"keyword": "toaster"}]


class Receiver:
    """A webhook's endpoint: what it got, as (path, headers, body)."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.came = threading.Semaphore(0)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(200)
                self.end_headers()
                receiver.came.release()

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "Credentials are missing"),
        ("Basic x", "Auth method is not supported"),
        ("Bearer no", "Invalid credentials"),
    ],
)
@pytest.mark.parametrize(
    "path", ["/datasets/list", "/discover?task_id=x", "/unblocker/get_result", "/zone/get_active_zones"]
)
def test_nobody_gets_in_without_a_key(far: Running, said: str, words: str, path: str) -> None:
    far.script({"keys": ["bd-test"]})
    answer = httpx2.get(far.url + path, headers={"Authorization": said} if said else {})
    assert (answer.status_code, answer.text) == (401, words)


def test_the_states_of_a_collection_come_in_order(far: Running, http: httpx2.Client) -> None:
    far.script({"looks": 5, "late": 1})
    id = http.post(TRIGGER, json=TOASTER).json()["snapshot_id"]
    early = http.get(f"/datasets/v3/snapshot/{id}")
    assert (early.status_code, early.json()["message"]) == (
        202,
        "Snapshot is not ready yet, try again in 10s",
    )
    said = [http.get(f"/datasets/v3/progress/{id}").json()["status"] for _ in range(6)]
    assert said == ["starting", "running", "collecting", "digesting", "digesting", "ready"]
    late = http.get(f"/datasets/v3/snapshot/{id}")
    assert (late.status_code, late.json()["status"]) == (202, "building")
    assert http.get(f"/datasets/v3/snapshot/{id}").status_code == 200
    assert http.get("/datasets/v3/progress/s_none").status_code == 404
    assert http.get("/datasets/v3/snapshot/s_none").text == "Snapshot does not exist"


@pytest.mark.parametrize(
    ("form", "mime", "begins"),
    [
        ("json", "application/json", b"["),
        ("ndjson", "application/x-ndjson", b"{"),
        ("jsonl", "application/x-ndjson", b"{"),
        ("csv", "text/csv", b"url,"),
    ],
)
@pytest.mark.parametrize("packed", ["true", "false"])
def test_content_comes_in_the_form_that_is_asked_for(
    far: Running, http: httpx2.Client, form: str, mime: str, begins: bytes, packed: str
) -> None:
    far.script({"looks": 0, "late": 0, "errors": 4})
    id = http.post(TRIGGER, json=TOASTER).json()["snapshot_id"]
    http.get(f"/datasets/v3/progress/{id}")
    answer = http.get(f"/datasets/v3/snapshot/{id}", params={"format": form, "compress": packed})
    assert answer.headers["content-type"].startswith(mime)
    plain = gzip.decompress(answer.content) if packed == "true" else answer.content
    assert plain.startswith(begins)
    assert sum(isinstance(row, dict) for row in rows(answer.content, mime)) == 12
    assert len(list(rows(answer.content, mime))) == 15


def test_error_rows_are_left_out_unless_wanted(far: Running, http: httpx2.Client) -> None:
    far.script({"errors": 1})
    asked = "/datasets/v3/scrape?dataset_id=gd_fake_reviews"
    assert not [row for row in http.post(asked, json={"input": TOASTER}).json() if "error_code" in row]
    mixed = http.post(f"{asked}&include_errors=true", json={"input": TOASTER}).json()
    assert [row["error_code"] for row in mixed[::2]] == ["dead_page"] * 12
    assert set(mixed[0]) == {"timestamp", "input", "error", "error_code"}


def test_a_crawl_record_has_every_form_of_the_page(far: Running, http: httpx2.Client) -> None:
    asked = f"/datasets/v3/scrape?dataset_id={CRAWL}"
    [page] = http.post(asked, json={"input": [{"url": f"{far.url}/pages/drill"}]}).json()
    assert page["page_title"] == "Otter cordless drill"
    assert page["markdown"].startswith("# Otter")
    assert page["page_html"].startswith("<!doctype html>")
    assert "ld+json" in page["ld_json"]
    assert page["input"] == {"url": page["url"]}


def test_a_result_page_is_parsed_on_demand(far: Running, http: httpx2.Client) -> None:
    page = "https://www.google.com/search?q=kettle"
    parsed = http.post("/request", json={"zone": "z", "url": f"{page}&brd_json=1", "format": "raw"}).json()
    assert parsed["general"]["query"] == "kettle"
    assert parsed["organic"][0]["link"] == f"{far.url}/pages/kettle"
    assert parsed["organic"][0]["rank"] == 1
    assert "organic" not in http.post("/request", json={"zone": "z", "url": page}).json()
    assert http.post("/request", json={"url": page}).status_code == 400


def test_a_webhook_gets_the_rows_gzipped_under_its_own_authorisation(
    far: Running, http: httpx2.Client, receiver: Receiver
) -> None:
    far.script({"errors": 6})
    push = PUSH | {
        "endpoint": f"{receiver.url}/rows",
        "notify": f"{receiver.url}/done",
        "auth_header": "Bearer ours",
        "format": "ndjson",
    }
    id = http.post("/datasets/v3/trigger", params=push, json=TOASTER).json()["snapshot_id"]
    assert all(receiver.came.acquire(timeout=20) for _ in range(2))
    (path, headers, body), (noted, _, note) = receiver.got
    assert (path, noted) == ("/rows", "/done")
    assert headers["authorization"] == "Bearer ours"
    assert headers["content-encoding"] == "gzip"
    assert sum(isinstance(row, dict) for row in rows(body, headers["content-type"])) == 12
    assert json.loads(note) == {"snapshot_id": id, "status": "ready"}


def test_a_webhook_may_be_sent_plain(http: httpx2.Client, receiver: Receiver) -> None:
    push = PUSH | {"endpoint": f"{receiver.url}/rows", "uncompressed_webhook": "true"}
    http.post("/datasets/v3/trigger", params=push, json=TOASTER)
    assert receiver.came.acquire(timeout=20)
    [(_, headers, body)] = receiver.got
    assert "content-encoding" not in headers
    assert isinstance(json.loads(body), list)


def test_a_snapshot_is_delivered_to_a_folder_or_an_endpoint(
    far: Running, http: httpx2.Client, receiver: Receiver, tmp_path: Path
) -> None:
    far.script({"folder": str(tmp_path / "bucket"), "looks": 0})
    filter = {"name": "headline", "operator": "is_not_null"}
    id = http.post("/datasets/filter", json={"dataset_id": "gd_fake_news", "filter": filter}).json()[
        "snapshot_id"
    ]
    local = {"type": "local", "filename": {"template": "../news", "extension": "csv"}}
    deliver = f"/datasets/snapshots/{id}/deliver"
    assert http.post(deliver, json={"deliver": local, "compress": True}).json()["id"]
    [file] = (tmp_path / "bucket").iterdir()
    assert file.name == "news.csv.gz"
    assert len(list(rows(file.read_bytes(), "text/csv"))) == 4
    hook = {"type": "webhook", "endpoint": f"{receiver.url}/in", "filename": {"extension": "ndjson"}}
    assert http.post(deliver, json={"deliver": hook}).status_code == 200
    assert len(list(rows(receiver.got[0][2], ""))) == 4
    nobody = {"type": "webhook", "endpoint": "http://127.0.0.1:9/in"}
    assert http.post(deliver, json={"deliver": nobody}).status_code == 500
    assert http.post(deliver, json={"deliver": {"type": "fax"}}).status_code == 400
    assert http.post("/datasets/snapshots/none/deliver", json={}).status_code == 404


def test_a_bought_snapshot_tells_size_and_cost_when_it_is_ready(far: Running, http: httpx2.Client) -> None:
    far.script({"looks": 2, "price": 0.01})
    filter = {"name": "rating", "operator": "=", "value": 5}
    asked = {"dataset_id": "gd_fake_reviews", "filter": filter, "records_limit": 3}
    id = http.post("/datasets/filter", json=asked).json()["snapshot_id"]
    said = [http.get(f"/datasets/snapshots/{id}").json() for _ in range(3)]
    assert [s["status"] for s in said] == ["scheduled", "building", "ready"]
    assert "cost" not in said[1]
    assert (said[2]["dataset_size"], said[2]["cost"]) == (3, 0.03)


def test_too_many_jobs_of_a_dataset_are_refused(far: Running, http: httpx2.Client) -> None:
    far.script({"jobs": 1})
    id = http.post(TRIGGER, json=TOASTER).json()["snapshot_id"]
    full = http.post(TRIGGER, json=TOASTER)
    assert (full.status_code, full.headers["retry-after"]) == (429, "1")
    assert "Running jobs: 1>=1" in full.text
    for _ in range(3):
        http.get(f"/datasets/v3/progress/{id}")
    assert http.post(TRIGGER, json=TOASTER).status_code == 200
