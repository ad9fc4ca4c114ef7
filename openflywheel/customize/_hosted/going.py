"""A run as far as it goes within one turn: begun, waited for, finished."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from openflywheel.base.instruments.account import (
    Account,
    Provider,
    ProviderFailed,
    ProviderRefused,
    account,
)
from openflywheel.base.nouns import Fault, Model, Paid, Row
from openflywheel.customize._hosted import job as jobs
from openflywheel.customize._hosted import outcome
from openflywheel.customize._hosted.job import Unsettled
from openflywheel.customize._hosted.run import OPEN, Book, Run
from openflywheel.customize._waiting import Waiting

Given = Model | Paid | Fault | Waiting
RUNNING = "still running at the provider"

log = logging.getLogger("openflywheel")


class Going(Struct, frozen=True):
    """What runs go on with: `held` rows calibrate a label model, `deadline` is of time.monotonic."""

    book: Book
    providers: Mapping[str, Provider]
    artefacts: Path
    held: Sequence[Row]
    deadline: float
    tell: Callable[[dict[str, float]], object]

    def on(self, run: Run, training: bytes = b"", validation: bytes = b"") -> Iterator[Given]:
        """Go on with a run; its files are looked at only when it was never begun.

        Gives what was Paid and the Model, or Waiting while it is at work, a Fault when it failed, both when
        the provider refuses us. Who does not answer is asked again in the next turn. Raises SettingsError.
        """
        far = account(run.provider, self.providers)
        try:
            run = jobs.begin(far, self.book, run, training, validation)
            yield from self._end(far, run) if run.stage in OPEN else self._over(run)
        except Unsettled:
            yield self._wait(run, "the job was asked for and is not in the provider's list yet")
        except ProviderFailed as error:
            yield self._wait(run, str(error))
        except ProviderRefused as error:
            yield Fault(f"hosted: {error}")
            yield self._wait(run, "it goes on as soon as the provider lets us")

    def _end(self, far: Account, run: Run) -> Iterator[Given]:
        job = jobs.until(far, run, self.deadline, self.tell)
        if job["status"] in jobs.OVER:
            jobs.tidy(far, run)
        if job["status"] == "succeeded":
            model = outcome.model(far, run, job, self.held, self.artefacts)
            yield from self._over(self.book.put(run, stage="done", model=model))
        elif job["status"] in jobs.OVER:
            error = (job.get("error") or {}).get("message") or job["status"]
            yield from self._over(self.book.put(run, stage=job["status"], said=error))
        else:
            yield self._wait(run, f"the job {run.job} is {job['status']}")

    def _over(self, run: Run) -> Iterator[Given]:
        """A run that goes no further: what it took and its model, or why it has none."""
        if run.model:
            yield Paid(run.model.report["dollars"], run.provider, run.id)
            yield run.model
        else:
            yield Fault(
                f"hosted: the job {run.job} for {run.task} at {run.provider} {run.stage}: {run.said}; "
                "another suffix makes another job"
            )

    def _wait(self, run: Run, said: str) -> Waiting:
        again = "it goes on with the next  flywheel turn"
        log.warning("customize: hosted: %s at %s: %s; %s", run.task, run.provider, said, again)
        return Waiting(RUNNING)


def from_now(seconds: float) -> float:
    """A deadline."""
    return time.monotonic() + seconds
