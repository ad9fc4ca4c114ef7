"""The endpoints of things that are kept: files and fine-tuning jobs, of OpenAI's API."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.serve._fake.dialect import OPENAI
from openflywheel.serve._fake.job import Job
from openflywheel.serve._fake.jobs import EPOCHS, Jobs
from openflywheel.serve._fake.order import Order
from openflywheel.serve._fake.problem import mistake
from openflywheel.serve._fake.report import told
from openflywheel.serve._fake.stage import Stage
from openflywheel.serve._fake.uploads import page

PREFIXES = ("/v1/files", "/v1/fine_tuning/")
JOBS, EVENTS, CHECKPOINTS = 20, 20, 10  # on a page
_order = msgspec.json.Decoder(Order)


class Sent(Struct, frozen=True):
    """A request: its content type as `kind`."""

    query: Mapping[str, str]
    kind: str
    body: bytes


Handler = Callable[[Stage, Sent, str], Any]


def find(method: str, path: str) -> tuple[Handler, str]:
    """Who answers a request, and the id in its path. Raises Problem."""
    fits = {
        verb: (handler, found[1] if found.re.groups else "")
        for verb, pattern, handler in ROUTES
        if (found := re.fullmatch(pattern, path))
    }
    if method not in fits:
        raise OPENAI.unknown(method, path, bool(fits))
    return fits[method]


def model_of(body: bytes) -> str:
    """The model that a request names, for the script's rules."""
    try:
        return msgspec.json.decode(body, type=_Named).model
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


class _Named(Struct):
    model: str = ""


def _create(stage: Stage, sent: Sent, _: str) -> Any:
    try:
        order = _order.decode(sent.body)
    except msgspec.ValidationError as error:
        raise OPENAI.mistaken(mistake(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OPENAI.malformed(str(error)) from error
    return _told(stage.jobs.create(order))


def _list(stage: Stage, sent: Sent, _: str) -> Any:
    wanted = {
        found[1]: value
        for key, value in sent.query.items()
        if (found := re.fullmatch(r"metadata\[(.+)\]", key))
    }
    return page([_told(job) for job in _looked(stage).all(wanted)], sent.query, JOBS)


def _looked(stage: Stage) -> Jobs:
    stage.look()
    return stage.jobs


def _job(stage: Stage, _: Sent, id: str) -> Any:
    return _told(_looked(stage).find(id))


def _events(stage: Stage, sent: Sent, id: str) -> Any:
    return page(_looked(stage).find(id).events[::-1], sent.query, EVENTS)


def _checkpoints(stage: Stage, sent: Sent, id: str) -> Any:
    return page(_looked(stage).find(id).checkpoints[::-1], sent.query, CHECKPOINTS)


def _change(name: str) -> Handler:
    def change(stage: Stage, _: Sent, id: str) -> Any:
        jobs = _looked(stage)
        return _told(getattr(jobs, name)(jobs.find(id)))

    return change


def _told(job: Job) -> dict[str, Any]:
    return told(job, job.order.epochs(EPOCHS))


FILE, JOB = r"/v1/files/([^/]+)", r"/v1/fine_tuning/jobs/([^/]+)"
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/v1/files", lambda stage, sent, _: stage.files.receive(sent.kind, sent.body)),
    ("GET", "/v1/files", lambda stage, sent, _: stage.files.list(sent.query)),
    ("GET", FILE, lambda stage, _, id: stage.files.find(id).told()),
    ("DELETE", FILE, lambda stage, _, id: stage.files.delete(id)),
    ("GET", f"{FILE}/content", lambda stage, _, id: stage.files.find(id).content),
    ("POST", "/v1/fine_tuning/jobs", _create),
    ("GET", "/v1/fine_tuning/jobs", _list),
    ("GET", JOB, _job),
    ("GET", f"{JOB}/events", _events),
    ("GET", f"{JOB}/checkpoints", _checkpoints),
    ("POST", f"{JOB}/cancel", _change("cancel")),
    ("POST", f"{JOB}/pause", _change("pause")),
    ("POST", f"{JOB}/resume", _change("resume")),
)
"""Method, path with an id, and who answers: data as JSON, bytes as they are."""
