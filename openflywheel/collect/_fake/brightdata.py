"""Bright Data's HTTP API, as docs.brightdata.com describes it."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from openflywheel.collect._fake.answers import collected, ranked, serp
from openflywheel.collect._fake.catalogue import CRAWL, DATASETS
from openflywheel.collect._fake.desk import Desk
from openflywheel.collect._fake.filters import BadFilter, matches
from openflywheel.collect._fake.snapshots import Job, Jobs, Row, push, put, with_errors, written

SERP, SCRAPE, DISCOVER = 0.0015, 0.0015, 0.005  # dollars a request, a record, a result
Handler = Callable[[Request], Awaitable[Response]]


def routes(desk: Desk) -> list[Route]:
    """Everything under https://api.brightdata.com."""
    api = BrightData(desk)
    return [
        Route("/zone/get_active_zones", api.guarded(api.zones)),
        Route("/request", api.guarded(api.request), methods=["POST"]),
        Route("/unblocker/req", api.guarded(api.later), methods=["POST"]),
        Route("/unblocker/get_result", api.guarded(api.result)),
        Route("/discover", api.guarded(api.discover), methods=["POST"]),
        Route("/discover", api.guarded(api.discovered)),
        Route("/datasets/list", api.guarded(api.datasets)),
        Route("/datasets/{id}/metadata", api.guarded(api.metadata)),
        Route("/datasets/filter", api.guarded(api.filter), methods=["POST"]),
        Route("/datasets/snapshots/{id}", api.guarded(api.snapshot)),
        Route("/datasets/snapshots/{id}/download", api.guarded(api.download)),
        Route("/datasets/snapshots/{id}/deliver", api.guarded(api.deliver), methods=["POST"]),
        Route("/datasets/v3/scrape", api.guarded(api.scrape), methods=["POST"]),
        Route("/datasets/v3/trigger", api.guarded(api.trigger), methods=["POST"]),
        Route("/datasets/v3/progress/{id}", api.guarded(api.progress)),
        Route("/datasets/v3/snapshot/{id}", api.guarded(api.download)),
    ]


class BrightData:
    """The account that every bearer of a key has."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._jobs = desk, Jobs(desk)
        self._pushing: set[asyncio.Task[None]] = set()

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind the key."""

        async def check(request: Request) -> Response:
            said = request.headers.get("authorization", "")
            if not said:
                return PlainTextResponse("Credentials are missing", 401)
            if not said.startswith("Bearer "):
                return PlainTextResponse("Auth method is not supported", 401)
            if not self._desk.knows(said.removeprefix("Bearer ")):
                return PlainTextResponse("Invalid credentials", 401)
            return await handler(request)

        return check

    async def zones(self, _: Request) -> Response:
        return _json([{"name": "serp_api1", "type": "serp"}])

    async def request(self, request: Request) -> Response:
        asked = await request.json()
        if not asked.get("zone"):
            return _json({"error": "zone is required"}, 400)
        self._desk.charge(1, SERP)
        return _json(serp(request, asked["url"]))

    async def later(self, request: Request) -> Response:
        asked = await request.json()
        job = self._jobs.open("serp", [serp(request, asked["url"])], "r_", SERP)
        return _json({"response_id": job.id}, headers={"x-response-id": job.id})

    async def result(self, request: Request) -> Response:
        job = self._jobs.find(request.query_params.get("response_id", ""))
        if job is None:
            return PlainTextResponse("response not found", 404)
        if job.look() != "ready" or job.is_late():
            return _json("Request is pending", 202)
        body = msgspec.json.encode(job.rows[0]).decode()
        return _json({"status_code": 200, "headers": {}, "body": body})

    async def discover(self, request: Request) -> Response:
        asked = await request.json()
        if not asked.get("query"):
            return _json({"error": '"query" is required'}, 400)
        job = self._jobs.open("discover", ranked(request, asked), "t_", DISCOVER)
        return _json({"status": "ok", "task_id": job.id})

    async def discovered(self, request: Request) -> Response:
        job = self._jobs.find(request.query_params.get("task_id", ""))
        if job is None:
            return _json({"error": "task not found"}, 404)
        status = job.look(("processing",))
        if status == "ready":
            return _json({"status": "done", "duration_seconds": 2, "results": job.rows})
        return _json({"status": status, **({"error": "no engine"} if status == "failed" else {})})

    async def datasets(self, _: Request) -> Response:
        return _json([{"id": d.id, "name": d.name, "size": len(d.rows)} for d in DATASETS.values()])

    async def metadata(self, request: Request) -> Response:
        found = DATASETS.get(request.path_params["id"])
        if found is None:
            return _json({"error": "Dataset not found"}, 404)
        fields = {name: {"type": kind, "active": True} for name, kind in found.columns.items()}
        return _json({"id": found.id, "fields": {**fields, "_internal": {"type": "text", "active": False}}})

    async def filter(self, request: Request) -> Response:
        asked = await request.json()
        found = DATASETS.get(asked.get("dataset_id"))
        if found is None:
            return _json({"error": "Dataset not found"}, 404)
        try:
            rows = [r for r in found.rows if matches(r, asked.get("filter"), found.columns)]
        except (BadFilter, TypeError) as error:
            return _json({"validation_errors": [str(error)]}, 400)
        rows = rows[: asked.get("records_limit")]
        return _json({"snapshot_id": self._jobs.open(found.id, rows, "snap_").id})

    async def snapshot(self, request: Request) -> Response:
        job = self._jobs.find(request.path_params["id"])
        if job is None:
            return PlainTextResponse("Snapshot not found", 404)
        said: Row = {"id": job.id, "dataset_id": job.dataset, "status": job.look(("scheduled", "building"))}
        if said["status"] == "ready":
            said |= {"dataset_size": len(job.rows), "file_size": 100 * len(job.rows), "cost": job.dollars}
        return _json(said | ({"error": "filter timed out"} if said["status"] == "failed" else {}))

    async def scrape(self, request: Request) -> Response:
        job = await self._collect(request)
        if isinstance(job, Response):
            return job
        if job.looks > 2:  # longer than the minute that the real one waits
            said = "Timeout exceeded, use the snapshot_id to fetch the results"
            return _json({"snapshot_id": job.id, "message": said}, 202)
        return self._content(job, request.query_params.get("format", "json"), False)

    async def trigger(self, request: Request) -> Response:
        job = await self._collect(request)
        if isinstance(job, Response):
            return job
        task = asyncio.create_task(self._push(job, dict(request.query_params)))
        self._pushing.add(task)
        task.add_done_callback(self._pushing.discard)
        return _json({"snapshot_id": job.id})

    async def progress(self, request: Request) -> Response:
        job = self._jobs.find(request.path_params["id"])
        if job is None:
            return PlainTextResponse("Snapshot does not exist", 404)
        said = {"snapshot_id": job.id, "dataset_id": job.dataset, "status": job.look()}
        return _json(
            said | ({"error_message": "No data found in discovery"} if said["status"] == "failed" else {})
        )

    async def download(self, request: Request) -> Response:
        job = self._jobs.find(request.path_params["id"])
        if job is None:
            return PlainTextResponse("Snapshot does not exist", 404)
        asked = request.query_params
        if job.seen <= job.looks:
            return _json({"status": "running", "message": "Snapshot is not ready yet, try again in 10s"}, 202)
        if job.is_late():
            return _json({"status": "building", "message": "Snapshot is building, try again in 10s"}, 202)
        usual = "json" if "/v3/" in request.url.path else "jsonl"
        return self._content(job, asked.get("format", usual), asked.get("compress") == "true")

    async def deliver(self, request: Request) -> Response:
        job, asked = self._jobs.find(request.path_params["id"]), await request.json()
        if job is None:
            return _json({"error": "Snapshot not found"}, 404)
        target = asked.get("deliver") or {}
        name = target.get("filename") or {}
        body, mime = written(job.rows, name.get("extension", "json"))
        if target.get("type") == "webhook":
            if not await push(target["endpoint"], body, mime, packed=bool(asked.get("compress"))):
                return _json({"error": "Failed to deliver snapshot"}, 500)
        elif target.get("type") != "local" or not self._deliver(name, body, bool(asked.get("compress"))):
            return _json({"validation_errors": ['"deliver.type" must be one of [webhook, local]']}, 400)
        return _json({"id": f"d_{job.id}"})

    def _deliver(self, name: Mapping[str, str], body: bytes, packed: bool) -> bool:
        file = f"{name.get('template', 'data')}.{name.get('extension', 'json')}"
        return put(self._desk, f"{file}.gz" if packed else file, gzip.compress(body) if packed else body)

    async def _collect(self, request: Request) -> Job | Response:
        """A job of the collector, or what is wrong with the request."""
        dataset, asked = request.query_params.get("dataset_id", ""), await request.json()
        inputs = asked.get("input") if isinstance(asked, dict) else asked
        if dataset != CRAWL and dataset not in DATASETS:
            return PlainTextResponse("dataset does not exist", 404)
        if not inputs:
            return PlainTextResponse("No data to trigger", 400)
        running, most = self._jobs.running(dataset), self._desk.script.jobs
        if running >= most:
            said = f"You have too many running jobs for this dataset. Running jobs: {running}>={most}"
            return PlainTextResponse(said, 429, {"Retry-After": "1"})
        found = [row for one in inputs for row in collected(dataset, one)]
        good = [row for row in found if "error_code" not in row]
        mixed = with_errors(good, self._desk.script.errors) + [row for row in found if "error_code" in row]
        wanted = request.query_params.get("include_errors") == "true"
        return self._jobs.open(dataset, mixed if wanted else good, "s_", SCRAPE)

    def _content(self, job: Job, form: str, packed: bool) -> Response:
        told = self._desk.script.form
        body, mime = written(job.rows, form if told == "asked" else told)
        return Response(gzip.compress(body) if packed else body, media_type=mime)

    async def _push(self, job: Job, asked: Mapping[str, str]) -> None:
        """Deliver to the webhook, then tell that it is there."""
        auth = asked.get("auth_header", "")
        if endpoint := asked.get("endpoint"):
            body, mime = written(job.rows, asked.get("format", "json"))
            await push(endpoint, body, mime, auth, asked.get("uncompressed_webhook") != "true")
        if (notify := asked.get("notify", "")).startswith("http"):
            said = msgspec.json.encode({"snapshot_id": job.id, "status": job.ends})
            await push(notify, said, "application/json", auth)


def _json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(data), status, headers, media_type="application/json")
