"""Jobs that are ready after some looks, the forms of their content, and their delivery."""

import asyncio
import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from contextlib import closing
from http.client import HTTPConnection
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from openflywheel.collect._fake.desk import Desk

Row = dict[str, Any]
STATES = ("starting", "running", "collecting", "digesting")
MIMES = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}
PATIENCE = 10.0  # seconds that a webhook may take


class Job(Struct, kw_only=True):
    """Something that was ordered; `rows` with the error rows mixed in, `sold` of them without."""

    id: str
    dataset: str
    rows: Sequence[Row]
    looks: int
    late: int
    ends: str
    seen: int = 0
    sold: int = 0
    dollars: float = 0.0

    def look(self, states: Sequence[str] = STATES) -> str:
        """The status of one more look."""
        self.seen += 1
        if self.seen > self.looks:
            return self.ends
        return states[min(self.seen - 1, len(states) - 1)]

    def is_late(self) -> bool:
        """Is the content still building although the job is ready? Each question counts."""
        self.late -= 1
        return self.late >= 0


class Jobs:
    """All jobs of one script."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self, dataset: str, rows: Sequence[Row], prefix: str, price: float | None = None) -> Job:
        """Take an order; good rows are sold at once, at the script's price unless another is named."""
        told = self._desk.script
        kept: dict[str, Job] = self._desk.memory.setdefault("jobs", {})
        good = [row for row in rows if "error_code" not in row]
        each = told.price if price is None else price
        job = Job(
            id=f"{prefix}fake{len(kept) + 1:06}",
            dataset=dataset,
            rows=rows,
            looks=told.looks,
            late=told.late,
            ends=told.ends,
            sold=len(good),
            dollars=round(len(good) * each, 6),
        )
        if job.ends == "ready":
            self._desk.charge(len(good), each)
        kept[job.id] = job
        return job

    def find(self, id: str) -> Job | None:
        """A job by its id."""
        found: Job | None = self._desk.memory.get("jobs", {}).get(id)
        return found

    def running(self, dataset: str) -> int:
        """How many jobs of a dataset are not ready yet."""
        jobs: list[Job] = list(self._desk.memory.get("jobs", {}).values())
        return sum(job.dataset == dataset and job.seen <= job.looks for job in jobs)


def with_errors(rows: Sequence[Row], every: int) -> list[Row]:
    """The rows, an error row before every so many of them."""
    mixed: list[Row] = []
    for number, row in enumerate(rows):
        if every and number % every == every - 1:
            mixed.append(
                error_row({"url": f"{row.get('url')}/gone"}, "dead_page", "Crawler error: page is gone")
            )
        mixed.append(row)
    return mixed


def error_row(asked: Mapping[str, Any], code: str, said: str) -> Row:
    """What a collector gives for an input that failed."""
    return {"timestamp": "2026-11-22T02:00:00.000Z", "input": dict(asked), "error": said, "error_code": code}


def written(rows: Sequence[Row], form: str) -> tuple[bytes, str]:
    """Rows in a form ("json", "ndjson", "jsonl", "csv"), and its media type."""
    form = "ndjson" if form == "jsonl" else form
    if form == "json":
        return msgspec.json.encode(rows), MIMES[form]
    if form == "ndjson":
        return b"".join(msgspec.json.encode(row) + b"\n" for row in rows), MIMES[form]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = io.StringIO()
    writer = csv.DictWriter(table, columns)
    writer.writeheader()
    writer.writerows(
        {k: v if isinstance(v, str | None) else msgspec.json.encode(v).decode() for k, v in row.items()}
        for row in rows
    )
    return table.getvalue().encode(), MIMES["csv"]


async def push(url: str, body: bytes, mime: str, auth: str = "", packed: bool = False) -> bool:
    """POST to a webhook over plain HTTP; did it take it? The provider gzips unless it is told otherwise."""
    headers = {"Content-Type": mime} | ({"Authorization": auth} if auth else {})
    if packed:
        body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
    return await asyncio.to_thread(_post, url, body, headers)


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> bool:
    place = urlsplit(url)
    with closing(HTTPConnection(place.netloc, timeout=PATIENCE)) as connection:
        try:
            connection.request("POST", place.path or "/", body, dict(headers))
            return connection.getresponse().status < 300
        except OSError:
            return False  # nobody there: the provider tells of a failed delivery


def put(desk: Desk, name: str, body: bytes) -> bool:
    """Write a delivery into the script's folder, which stands for a bucket; False when it names none."""
    folder = desk.folder()
    if folder is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PurePath(name).name).write_bytes(body)
    return True
