"""A run at its provider: files and a job of OpenAI's fine-tuning API. Whatever was done is not done again.

A job carries the run's name in its metadata. An answer that was lost is no reason to pay twice: before a job
is asked for, the provider is asked whether it is there already.
"""

import time
from collections.abc import Mapping
from typing import Any

from openflywheel.base.instruments.account import GONE, Account, ProviderRefused
from openflywheel.customize._hosted.run import Book, Run

JOBS = "/fine_tuning/jobs"
NAME = "openflywheel_run"  # in the metadata of a job
OVER = ("succeeded", "failed", "cancelled")
SETTLES = 60.0  # seconds within which a job that was asked for, and not answered, turns up in the list
PAGE = 100
PAUSE, LONGEST = 0.25, 30.0  # seconds between two looks

Job = Mapping[str, Any]


class Unsettled(Exception):
    """A job was asked for and nobody knows yet whether it is there."""


def begin(account: Account, book: Book, run: Run, training: bytes, validation: bytes) -> Run:
    """Bring a run to where its job is created. Raises Unsettled, ProviderFailed, ProviderRefused."""
    if run.stage == "new":
        files = {
            "training_file": _file(account, f"flywheel-{run.id}-training.jsonl", training),
            "validation_file": _file(account, f"flywheel-{run.id}-validation.jsonl", validation),
        }
        run = book.put(run, stage="uploaded", **files)
    return run if run.stage not in ("uploaded", "creating") else _create(account, book, run)


def _file(account: Account, name: str, content: bytes) -> str:
    """The id of a file at the provider, "" for an empty one; it is sent only where it is not there."""
    if not content:
        return ""
    there = account.get("/files", purpose="fine-tune")["data"]
    found = [f["id"] for f in there if f["filename"] == name and f["bytes"] == len(content)]
    return str(found[0] if found else account.upload(name, content, "fine-tune")["id"])


def _create(account: Account, book: Book, run: Run) -> Run:
    job = find(account, run)
    if job is None:
        if run.stage == "creating" and time.time() < run.at + SETTLES:
            raise Unsettled
        job = _ask(account, book, book.asks(run))
    return book.put(run, stage="created", job=job["id"], at=run.at or float(job["created_at"]))


def find(account: Account, run: Run) -> Job | None:
    """The newest job of a run. One that failed is of interest only while we wait for an answer."""
    query: dict[str, str | int] = {f"metadata[{NAME}]": run.id, "limit": PAGE}
    while True:
        page = account.get(JOBS, **query)
        for job in page["data"]:  # some providers don't know the filter
            ours = (job.get("metadata") or {}).get(NAME) == run.id
            if ours and (run.stage == "creating" or job["status"] not in ("failed", "cancelled")):
                return dict(job)
        if not page.get("has_more") or not page["data"]:
            return None
        query["after"] = page["data"][-1]["id"]


def _ask(account: Account, book: Book, run: Run) -> Job:
    """Create the job. A refusal is an answer: nothing is there."""
    try:
        return dict(account.post(JOBS, _order(run)))
    except ProviderRefused:
        book.put(run, stage="new", training_file="", validation_file="")  # a file may be what was refused
        raise


def _order(run: Run) -> dict[str, Any]:
    settings = {"hyperparameters": {"n_epochs": run.epochs}}
    order = {
        "model": run.base,
        "training_file": run.training_file,
        "seed": run.seed % 2**31,
        "method": {"type": run.method, run.method: settings},
        "metadata": {NAME: run.id, "task": run.task[:512], "dataset": run.dataset},
    }
    more = {"validation_file": run.validation_file, "suffix": run.suffix}
    return order | {name: value for name, value in more.items() if value}


def until(account: Account, run: Run, deadline: float, tell: Any) -> Job:
    """The job when it is over, or as it stands at the deadline (of time.monotonic).

    `tell` is called with what each look found. Looks become rarer, from `PAUSE` to `LONGEST`.
    """
    pause = PAUSE
    while True:
        job: Job = account.get(f"{JOBS}/{run.job}")
        if job["status"] in OVER or time.monotonic() + pause > deadline:
            return job
        tell(figures(account, run))
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST)


def figures(account: Account, run: Run) -> dict[str, float]:
    """The newest step that the job tells of: step, steps, loss, and those of the validation file."""
    events = account.get(f"{JOBS}/{run.job}/events", limit=20)["data"]
    found = (e["data"] for e in events if e.get("type") == "metrics" and e.get("data"))
    data: Mapping[str, Any] = next(found, {})
    names = {"step": "step", "total_steps": "steps", "train_loss": "loss", "valid_loss": "validation_loss"}
    told = {ours: data.get(theirs) for theirs, ours in names.items()}
    return {name: float(value) for name, value in told.items() if isinstance(value, int | float)}


def tidy(account: Account, run: Run) -> None:
    """Let the provider forget what it was taught with. Raises ProviderFailed, ProviderRefused."""
    for id in filter(None, (run.training_file, run.validation_file)):
        account.delete(f"/files/{id}")


def cancel(account: Account, book: Book, run: Run) -> Run:
    """Cancel the job of an open run; one that has succeeded already stays, for its model is paid for.

    Raises ProviderFailed, ProviderRefused.
    """
    job = _there(account, run) if run.job else find(account, run)
    if job and job["status"] == "succeeded":
        return book.put(run, stage="created", job=job["id"])
    if job and job["status"] not in OVER:
        account.post(f"{JOBS}/{job['id']}/cancel", {})
    tidy(account, run)
    return book.put(run, stage="cancelled", job=job["id"] if job else run.job, said="we cancelled it")


def _there(account: Account, run: Run) -> Job | None:
    try:
        return dict(account.get(f"{JOBS}/{run.job}"))
    except ProviderRefused as error:
        if error.status != GONE:
            raise
        return None
