"""OpenAI's fine-tuning jobs: from validating_files by way of queued and running to an end.

Nothing runs: whenever somebody looks, jobs are brought to where they would be by now, at the script's pace.
"""

import time
from collections.abc import Mapping
from secrets import token_hex

from openflywheel.serve._fake import report
from openflywheel.serve._fake.examples import BadFile, Example, Learned, examples
from openflywheel.serve._fake.job import OVER, Job
from openflywheel.serve._fake.order import Order
from openflywheel.serve._fake.problem import Problem
from openflywheel.serve._fake.script import Tuning
from openflywheel.serve._fake.uploads import Uploads

EPOCHS = 3  # for n_epochs "auto"
NEXT = {"validating_files": "queued", "queued": "running", "running": "succeeded"}


class Jobs:
    """All jobs, oldest first, and the models that they made."""

    def __init__(self, files: Uploads) -> None:
        self._files = files
        self._jobs: dict[str, Job] = {}
        self._models: dict[str, Learned] = {}
        self._unbilled: list[tuple[str, int]] = []

    def clear(self) -> None:
        """Forget them all."""
        self._jobs.clear()
        self._models.clear()
        self._unbilled.clear()

    def billed(self) -> list[tuple[str, int]]:
        """Base model and trained tokens of the jobs that succeeded since this was last asked."""
        billed, self._unbilled = self._unbilled, []
        return billed

    @property
    def models(self) -> list[str]:
        """Names of the tuned models."""
        return list(self._models)

    def answer(self, model: str, text: str) -> str:
        """What a tuned model says. Raises Problem when there is none of that name."""
        if model not in self._models:
            said = f"The model `{model}` does not exist or you do not have access to it."
            raise Problem(404, said, code="model_not_found")
        return self._models[model].answer(text)

    def create(self, order: Order) -> Job:
        """POST: begin a job. Raises Problem."""
        for name in ("training_file", "validation_file"):
            self._check_file(getattr(order, name), name)
        now = time.time()
        job = Job(id=f"ftjob-{token_hex(12)}", order=order, created_at=now, since=now)
        job.say(f"Created fine-tuning job: {job.id}")
        job.say(f"Validating training file: {order.training_file}")
        self._jobs[job.id] = job
        return job

    def _check_file(self, id: str | None, name: str) -> None:
        if id is None:
            return
        try:
            upload = self._files.find(id)
        except Problem:
            raise Problem(400, f"invalid {name}: {id}", param=name, code="invalid_file") from None
        if upload.purpose != "fine-tune":
            said = f"File '{id}' has the purpose '{upload.purpose}', which is not 'fine-tune'."
            raise Problem(400, said, param=name, code="invalid_file_purpose")

    def find(self, id: str) -> Job:
        """A job as it stood when it was last looked at. Raises Problem."""
        if id not in self._jobs:
            said = f"Could not find fine tune: {id}"
            raise Problem(404, said, param="fine_tune_id", code="fine_tune_not_found")
        return self._jobs[id]

    def all(self, metadata: Mapping[str, str]) -> list[Job]:
        """Jobs whose metadata hold these, the newest first."""
        return [
            job
            for job in reversed(self._jobs.values())
            if metadata.items() <= (job.order.metadata or {}).items()
        ]

    def look(self, pace: Tuning) -> None:
        """Bring every job to where it is by now."""
        now = time.time()
        for job in self._jobs.values():
            while (took := _took(job, pace)) is not None and now >= job.since + took:
                self._step(job, job.since + took, pace)
            if job.status == "running":
                report.train(job, (now - job.since) / pace.running)

    def _step(self, job: Job, at: float, pace: Tuning) -> None:
        if job.status == "validating_files":
            self._validate(job, at)
        elif job.status == "queued":
            job.enter("running", at, "Fine-tuning job started")
        elif pace.fail:
            _fail(job, at, "server_error", pace.fail, None)
        else:
            self._succeed(job, at)

    def _validate(self, job: Job, at: float) -> None:
        files = {"training": job.order.training_file, "validation": job.order.validation_file}
        read: dict[str, list[Example]] = {}
        for name, id in files.items():
            try:
                read[name] = examples(self._files.find(id).content, job.order.method.type, name) if id else []
            except BadFile as bad:
                _fail(job, at, bad.code, bad.message, f"{name}_file")
                return
            except Problem as gone:
                _fail(job, at, "invalid_file", gone.message, f"{name}_file")
                return
        job.taught = read["training"]
        epochs, batch = job.order.epochs(EPOCHS), job.order.batch(len(job.taught))
        job.steps = epochs * -(-len(job.taught) // batch)
        job.tokens = epochs * sum(example.tokens for example in job.taught)
        job.enter("queued", at, "Files validated, moving job to queued state")

    def _succeed(self, job: Job, at: float) -> None:
        report.train(job, 1.0)
        base = job.order.model.removeprefix("ft:").partition(":")[0]
        job.model = f"ft:{base}:openflywheel:{job.order.suffix or ''}:{job.id[-8:]}"
        job.since = at
        report.checkpoints(job, job.order.epochs(EPOCHS))
        job.result_files = [self._files.add("step_metrics.csv", "fine-tune-results", report.metrics(job)).id]
        job.say(f"New fine-tuned model created: {job.model}")
        job.enter("succeeded", at, "The job has successfully completed")
        learned = Learned(job.taught)
        self._models |= {point["fine_tuned_model_checkpoint"]: learned for point in job.checkpoints}
        self._unbilled.append((job.order.model, job.tokens))

    def cancel(self, job: Job) -> Job:
        """POST cancel. Raises Problem for a job that is over."""
        if job.status in OVER:
            raise Problem(400, f"Job has already completed: {job.id}", param="id", code="invalid_job_status")
        job.enter("cancelled", time.time(), "Fine-tuning job cancelled")
        return job

    def pause(self, job: Job) -> Job:
        """POST pause. Raises Problem for a job that does not run."""
        return _change(job, "running", "paused", "Fine-tuning job paused")

    def resume(self, job: Job) -> Job:
        """POST resume. Raises Problem for a job that is not paused."""
        return _change(job, "paused", "queued", "Fine-tuning job resumed")


def _took(job: Job, pace: Tuning) -> float | None:
    """Seconds that a job's status lasts; None when it lasts."""
    return getattr(pace, job.status) if job.status in NEXT else None


def _change(job: Job, before: str, after: str, said: str) -> Job:
    if job.status != before:
        raise Problem(
            400, f"Job {job.id} is {job.status}, not {before}.", param="id", code="invalid_job_status"
        )
    job.enter(after, time.time(), said)
    return job


def _fail(job: Job, at: float, code: str, message: str, param: str | None) -> None:
    job.error = {"code": code, "message": message, "param": param}
    job.enter("failed", at, message, "error")
